"""Finding the picture that an annotation means among the files of a folder.

Annotations name pictures by bare names, relative paths, absolute paths of other machines, or
addresses. None of them is ever opened as written: a name only chooses among the picture files found
below one folder, so that nothing outside it can be reached.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from edge_seg.errors import AnnotationError
from edge_seg.images import IMAGE_SUFFIXES
from edge_seg.importers.wording import shown

# Folders that lie beside pictures and hold masks of the same names.
_MASK_FOLDERS = frozenset(
    {"masks", "mask", "labels", "annotations", "segmentationclass", "segmentationobject", "segmentationclasspng"}
)

_LONGEST_NAME_BYTES = 220  # of the 255 a file system allows; the rest is for names while writing


class PictureFolder:
    """The picture files below `folder`; mask folders, hidden ones and symbolic links to folders are passed over.

    Raises:
        AnnotationError: no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise AnnotationError(f"{folder}: no such folder of pictures; check the path")
        self.folder = folder
        self._by_name: defaultdict[str, list[PurePosixPath]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[PurePosixPath]] = defaultdict(list)
        for path in _picture_files(folder):
            self._by_name[path.name.casefold()].append(path)
            self._by_stem[path.stem.casefold()].append(path)
        self._by_size: Mapping[int, Sequence[PurePosixPath]] | None = None

    def __len__(self) -> int:
        return sum(map(len, self._by_name.values()))

    def find(self, file_name: str, where: str) -> Path | None:
        """Return the picture that `file_name` means, or None.

        Letters may differ in case. Of several files with the name, the one that shares the longest end of
        the path is meant. A name without a picture's suffix, as YOLO's, means any suffix.

        Raises:
            AnnotationError: two files fit equally well.
        """
        wanted = _parts(file_name)
        if not wanted:
            return None
        last = wanted[-1].casefold()
        has_suffix = PurePosixPath(last).suffix in IMAGE_SUFFIXES
        candidates = self._by_name.get(last, []) if has_suffix else self._by_stem.get(last, [])
        if not candidates:
            return None
        fits = [(_shared_end(wanted, path, with_suffix=has_suffix), path) for path in candidates]
        best = max(fit for fit, _ in fits)
        fitting = [path for fit, path in fits if fit == best]
        if len(fitting) > 1:
            raise AnnotationError(
                f"{where}: both {fitting[0]} and {fitting[1]} in {self.folder} could be meant; "
                "name their folder with --images"
            )
        return self.folder / fitting[0]

    def find_by_size(self, size_bytes: int | None) -> Path | None:
        """Return the only picture of that many bytes: one that was renamed since VIA recorded its size."""
        if size_bytes is None:
            return None
        if self._by_size is None:
            by_size: defaultdict[int, list[PurePosixPath]] = defaultdict(list)
            for paths in self._by_name.values():
                for path in paths:
                    by_size[(self.folder / path).stat().st_size].append(path)
            self._by_size = by_size
        fitting = self._by_size.get(size_bytes, [])
        return self.folder / fitting[0] if len(fitting) == 1 else None


def picture_folder(images: Path | None, annotations: Path) -> PictureFolder:
    """Open `images`, or the folder of the annotations, or the one above when that holds no pictures.

    Raises:
        AnnotationError: `images` is no folder.
    """
    if images is not None:
        return PictureFolder(images)
    home = annotations if annotations.is_dir() else annotations.parent
    beside = PictureFolder(home)
    return beside if len(beside) else PictureFolder(home.resolve().parent)


def check_name(name: str, path: Path) -> None:
    """Check that a data set can hold a picture under the file name `name`, and list it one name a line.

    Raises:
        AnnotationError: not UTF-8, blanks around it, a line break in it, or too long for a file name.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        length = 0
    if name.splitlines() != [name.strip()] or not 0 < length <= _LONGEST_NAME_BYTES:
        raise AnnotationError(
            f"{shown(str(path), 300)}: a list of pictures cannot hold the file name '{shown(name)}'; "
            "give it a short name without line breaks or blanks at its ends"
        )


def output_names(paths: Iterable[Path], folder: Path) -> dict[Path, str]:
    """Give every picture a file name of its own: its name, or its path joined by `_` where stems collide.

    Raises:
        AnnotationError: as `check_name`.
    """
    paths = list(paths)
    stems: defaultdict[str, set[Path]] = defaultdict(set)
    for path in paths:
        stems[path.stem].add(path)
    names = {
        path: path.name if len(stems[path.stem]) == 1 else "_".join(path.relative_to(folder).parts) for path in paths
    }
    for path, name in names.items():
        check_name(name, path)
    return names


def _picture_files(folder: Path) -> Iterable[PurePosixPath]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name.casefold() not in _MASK_FOLDERS
        )
        inside = Path(place).relative_to(folder)
        for name in sorted(files):
            # A pipe would be waited for without end.
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES and Path(place, name).is_file():
                yield PurePosixPath(inside / name)


def _parts(file_name: str) -> list[str]:
    """Split a name, a path of any system, or an address into its parts."""
    if file_name.startswith(("http://", "https://", "file://")):
        try:
            file_name = unquote(urlsplit(file_name).path)
        except ValueError:  # a malformed address
            return []
    return [part for part in file_name.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _shared_end(wanted: Sequence[str], path: PurePosixPath, *, with_suffix: bool) -> tuple[int, int]:
    """Return how many parts of two paths agree from the end, in any case of letters and to the letter."""
    parts = path.parts if with_suffix else path.with_suffix("").parts
    pairs = list(zip(reversed(wanted), reversed(parts), strict=False))
    loosely = next((n for n, (a, b) in enumerate(pairs) if a.casefold() != b.casefold()), len(pairs))
    strictly = next((n for n, (a, b) in enumerate(pairs) if a != b), len(pairs))
    return loosely, strictly
