"""VGG Image Annotator, versions 1 and 2: a region export or a whole project, as JSON.

    {"x.jpg1234": {"filename": "x.jpg", "regions": [...] or {"0": ...}}}     region export
    {"_via_img_metadata": {...the same...}, "_via_settings": ...}            project

A region holds `shape_attributes` and `region_attributes`; one of the latter names its class.
Later regions are drawn over earlier ones. Regions are counted from 1, as VIA shows them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any, TypeAlias, cast

import numpy as np

from edge_seg.classes import IGNORE_ID, SegmentationClass, make_classes
from edge_seg.errors import AnnotationError, DatasetError
from edge_seg.images import ClassMap, read_image
from edge_seg.importers.description import Description, ImportReport
from edge_seg.importers.masks import IGNORE_NAME
from edge_seg.importers.via_shapes import Shape, lies_outside, paint, parse_shape
from edge_seg.progress import Track, untracked

JsonObject: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class ViaOptions:
    """How a VIA file is read.

    Attributes:
        label_attribute: the region attribute that names the class; None takes the only one there is.
        default_class: the class of regions without that attribute; None makes them an error.
        classes: class names in the order of their ids, after the background; empty sorts them by name.
        background: name of class 0, which every undrawn pixel has.
        line_width: width of polylines in pixels.
        fill_polylines: take polylines as polygons, for outlines traced with that tool.
        skip_missing: leave out pictures whose file is absent.
        skip_empty: leave out pictures without regions; otherwise they are all background.
    """

    label_attribute: str | None = None
    default_class: str | None = None
    classes: tuple[str, ...] = ()
    background: str = "background"
    line_width: int = 5
    fill_polylines: bool = False
    skip_missing: bool = False
    skip_empty: bool = False


@dataclass(frozen=True)
class Region:
    """One drawn shape, the name of its class, and where it stands, for errors."""

    shape: Shape
    label: str
    where: str


@dataclass(frozen=True)
class AnnotatedImage:
    """A picture's file name, as VIA writes it, and its regions in drawing order."""

    file_name: str
    regions: tuple[Region, ...]


def import_via(
    annotations: Path,
    images: Path,
    out: Path,
    options: ViaOptions,
    description: Description,
    *,
    track: Track = untracked,
) -> ImportReport:
    """Make the data set `out` from a VIA JSON file and its folder of pictures.

    Class 0 is the background; a region labelled like it cuts a hole, one labelled `ignore` neither
    trains nor scores. Pictures are copied byte for byte; masks have their EXIF-oriented size.

    Raises:
        AnnotationError: not VIA JSON, or a region that cannot be drawn or has no class.
        DatasetError: a picture is absent, or `out` exists.
        ImageError: a picture that cannot be decoded.
    """
    listed = read_via(annotations, options)
    classes = via_classes(listed, options, annotations)
    writer = description.writer(out, classes)
    found, skipped = _with_file(listed, images, annotations, options)
    ids = {IGNORE_NAME: IGNORE_ID} | {item.name: item.id for item in classes}
    with writer:
        for item in track(found):
            path = images / item.file_name
            height, width = read_image(path).shape[:2]
            writer.add_file(path, rasterise(item.regions, height, width, ids, options.line_width))
    return ImportReport(len(found), sum(not item.regions for item in found), tuple(skipped))


def rasterise(regions: Sequence[Region], height: int, width: int, ids: Mapping[str, int], line_width: int) -> ClassMap:
    """Draw regions over a background of 0, later ones over earlier ones; uint8 [height, width].

    Raises:
        AnnotationError: a region outside the picture.
    """
    class_map = np.zeros((height, width), np.uint8)
    for region in regions:
        if lies_outside(region.shape, height, width):
            raise AnnotationError(
                f"{region.where}: lies outside the picture, which is {width}×{height}; "
                "use the pictures the annotation was made on"
            )
        paint(class_map, region.shape, ids[region.label], line_width)
    return class_map


def via_classes(images: Iterable[AnnotatedImage], options: ViaOptions, file: Path) -> tuple[SegmentationClass, ...]:
    """Number the classes: the background, then `options.classes` or else all labels by name.

    Raises:
        AnnotationError: a label that `options.classes` does not list, or no class but the background.
    """
    regions = [region for image in images for region in image.regions]
    known = [options.background, *(name for name in options.classes if name != options.background)]
    if IGNORE_NAME in known:
        raise AnnotationError(
            f"{file}: '{IGNORE_NAME}' names regions that neither train nor score; give the class another name"
        )
    if not options.classes:
        known += sorted({region.label for region in regions} - {options.background, IGNORE_NAME})
    for region in regions:
        if region.label not in known and region.label != IGNORE_NAME:
            raise AnnotationError(
                f"{region.where}: has the class '{region.label}', but the classes are {', '.join(known)}; "
                "add it to --classes or correct the region"
            )
    if len(known) == 1:
        raise AnnotationError(f"{file}: no region names a class; draw regions in VIA or list --classes")
    return make_classes(known)


def read_via(file: Path, options: ViaOptions) -> list[AnnotatedImage]:
    """Read every picture and region of a VIA file.

    Raises:
        AnnotationError: not VIA JSON, or a region that cannot be drawn or has no class.
    """
    entries = [_Entry.parse(key, value, file) for key, value in _metadata(file).items()]
    _refuse_repeated(entries, file)
    attribute = options.label_attribute or _only_attribute(entries, file, options)
    return [
        AnnotatedImage(
            entry.file_name,
            tuple(
                Region(
                    parse_shape(shape, where, fill_polylines=options.fill_polylines),
                    _label(labels, attribute, where, options),
                    where,
                )
                for where, shape, labels in entry.regions
            ),
        )
        for entry in entries
    ]


def _metadata(file: Path) -> JsonObject:
    try:
        document: object = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise AnnotationError(f"{file}: no such file; check the path") from None
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"{file}: is not JSON ({error}); export the annotations again") from None
    found = _object(document)
    if found and "_via_img_metadata" in found:
        found = _object(found["_via_img_metadata"])
    if not found or not any("filename" in (_object(entry) or {}) for entry in found.values()):
        keys = f"its keys are {', '.join(found)[:60]}" if found else "it lists no pictures"
        raise AnnotationError(
            f"{file}: is not VIA 1 or 2 JSON ({keys}); in VIA choose Annotation, Export Annotations (as json)"
        )
    return found


@dataclass(frozen=True)
class _Entry:
    """One picture as the JSON has it: regions as (where, shape attributes, region attributes)."""

    file_name: str
    regions: tuple[tuple[str, JsonObject, JsonObject], ...]

    @classmethod
    def parse(cls, key: str, value: object, file: Path) -> "_Entry":
        entry = _object(value) or {}
        name, regions = entry.get("filename"), entry.get("regions")
        if not isinstance(name, str) or not isinstance(regions, dict | list):
            raise AnnotationError(f"{file}: '{key}' has no filename or no regions; export the annotations again")
        _refuse_escape(name, file)
        values = list(cast(JsonObject, regions).values()) if isinstance(regions, dict) else cast(list[Any], regions)
        places = [f"{file}: {name}, region {number}" for number in range(1, len(values) + 1)]
        return cls(name, tuple(map(_region_parts, places, values)))


def _region_parts(where: str, value: object) -> tuple[str, JsonObject, JsonObject]:
    region = _object(value) or {}
    shape = _object(region.get("shape_attributes"))
    labels = _object(region.get("region_attributes", {}))
    if shape is None or labels is None:
        raise AnnotationError(f"{where}: has no shape_attributes; export the annotations again")
    return where, shape, labels


def _refuse_escape(name: str, file: Path) -> None:
    path = PureWindowsPath(name)  # splits at / and at \
    if path.drive or path.root or ".." in path.parts:
        raise AnnotationError(
            f"{file}: the picture '{name}' is outside the folder of pictures; write its file name alone"
        )


def _refuse_repeated(entries: Sequence[_Entry], file: Path) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.file_name in seen:
            raise AnnotationError(f"{file}: lists '{entry.file_name}' twice; keep one of the two entries")
        seen.add(entry.file_name)


def _only_attribute(entries: Sequence[_Entry], file: Path, options: ViaOptions) -> str:
    names = sorted({name for entry in entries for _, _, labels in entry.regions for name in labels})
    if len(names) > 1:
        raise AnnotationError(
            f"{file}: the regions have the attributes {', '.join(names)}; "
            f"say which one names the class, for example  --label-attribute {names[0]}"
        )
    if not names and not options.default_class and any(entry.regions for entry in entries):
        raise AnnotationError(f"{file}: the regions have no attribute; name their class with  --default-class NAME")
    return names[0] if names else ""


def _label(labels: JsonObject, attribute: str, where: str, options: ViaOptions) -> str:
    value = labels.get(attribute)
    if (boxes := _object(value)) is not None:
        ticked = [name for name, on in boxes.items() if on is True]
        if len(ticked) > 1:
            raise AnnotationError(f"{where}: '{attribute}' ticks {' and '.join(ticked)}; tick one class")
        value = "".join(ticked)
    label = "" if value is None else value
    if not isinstance(label, str):
        raise AnnotationError(f"{where}: '{attribute}' is {label!r:.60}, not a name; correct it")
    if not label.strip() and options.default_class is None:
        raise AnnotationError(
            f"{where}: has no '{attribute}'; give it one in VIA, or name a class for such regions with "
            " --default-class NAME"
        )
    return label.strip() or str(options.default_class)


def _with_file(
    listed: Sequence[AnnotatedImage], images: Path, file: Path, options: ViaOptions
) -> tuple[list[AnnotatedImage], list[str]]:
    """Return the pictures to import, and a sentence for every one left out."""
    absent = [item.file_name for item in listed if not _is_file(images / item.file_name)]
    if absent and not options.skip_missing:
        raise DatasetError(
            f"{file}: {len(absent)} of {len(listed)} pictures are not in {images}, first '{absent[0]}'; "
            "name their folder with --images or leave them out with --skip-missing"
        )
    skipped = [f"{images / name}: absent, though the annotations list it" for name in absent]
    found = [item for item in listed if item.file_name not in set(absent)]
    if options.skip_empty:
        skipped += [f"{images / item.file_name}: has no regions" for item in found if not item.regions]
        found = [item for item in found if item.regions]
    return found, skipped


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long for the file system, or one it cannot hold
        return False


def _object(value: object) -> JsonObject | None:
    return cast(JsonObject, value) if isinstance(value, dict) else None
