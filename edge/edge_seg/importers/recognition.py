"""Telling annotation formats by their content."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotationFormat
from edge_seg.importers.coco import Coco
from edge_seg.importers.cvat import Cvat
from edge_seg.importers.labelme import LabelMe
from edge_seg.importers.via import Via
from edge_seg.importers.yolo import Yolo

FORMATS: dict[str, AnnotationFormat] = {item.name: item for item in (Via(), Coco(), LabelMe(), Cvat(), Yolo())}


@dataclass(frozen=True)
class Recognised:
    """Annotation files of one format."""

    annotation_format: AnnotationFormat
    files: tuple[Path, ...]


def annotation_files(annotation_format: AnnotationFormat, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return files as they are, and of folders all files below that are of the format, by name.

    Raises:
        AnnotationError: a path that is not there, or a folder without such a file.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise AnnotationError(f"{path}: no such file or folder; check the path")
        inside = (
            [path]
            if not path.is_dir()
            else list(filter(annotation_format.recognises, _files(path, annotation_format.suffixes)))
        )
        if not inside:
            raise AnnotationError(
                f"{path}: holds no file of {annotation_format.title}; "
                "name another folder, or try  edge-seg data import auto"
            )
        found += inside
    return tuple(dict.fromkeys(found))


def recognise(path: Path) -> Recognised | None:
    """Return the annotations that a file is or a folder holds; None when there are none.

    Raises:
        AnnotationError: a folder holds annotations of two formats.
    """
    kinds = [
        Recognised(item, files)
        for item in FORMATS.values()
        if (files := tuple(file for file in _candidates(path, item) if item.recognises(file)))
    ]
    if len(kinds) > 1:
        first, second = kinds[:2]
        raise AnnotationError(
            f"{path}: holds {first.annotation_format.title} ({first.files[0].name}) and "
            f"{second.annotation_format.title} ({second.files[0].name}); name the file or folder that is meant"
        )
    return kinds[0] if kinds else None


def recognise_all(paths: Sequence[Path]) -> AnnotationFormat:
    """Return the one format that all files and folders are of.

    Raises:
        AnnotationError: a path that is absent or of no known format, or two formats.
    """
    kinds: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise AnnotationError(f"{path}: no such file or folder; check the path")
        found = recognise(path)
        if found is None:
            titles = ", ".join(item.title for item in FORMATS.values())
            raise AnnotationError(f"{path}: is not {titles}, nor a folder with images and masks; name what holds them")
        kinds.setdefault(found.annotation_format.name, path)
    if len(kinds) > 1:
        first, second = list(kinds.items())[:2]
        raise AnnotationError(f"{first[1]} is {first[0]} and {second[1]} is {second[0]}; import them one by one")
    return FORMATS[next(iter(kinds))]


def _candidates(path: Path, annotation_format: AnnotationFormat) -> Iterator[Path]:
    if path.is_dir():
        yield from _files(path, annotation_format.suffixes)
    elif path.is_file():
        yield path


def _files(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in suffixes and path.is_file() and not path.name.startswith(".")
    )
