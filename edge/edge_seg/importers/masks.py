"""Pictures with masks in a second folder, paired by file stem."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_seg.classes import IGNORE_ID, make_classes
from edge_seg.dataset.folder import check_pair
from edge_seg.errors import AnnotationError, DatasetError, ImageError
from edge_seg.images import IMAGE_SUFFIXES, ClassMap, read_image, read_mask
from edge_seg.importers.description import Description, ImportReport
from edge_seg.progress import Track, untracked

IGNORE_NAME = "ignore"


@dataclass(frozen=True)
class ValueMap:
    """Which class id each value of a foreign mask becomes."""

    class_names: tuple[str, ...]
    ids: Mapping[int, int]

    def apply(self, mask: ClassMap, mask_path: Path) -> ClassMap:
        """Translate a mask (uint8 [h, w]) to class ids; `mask_path` is for the error alone.

        Raises:
            AnnotationError: the mask holds a value that the map does not name.
        """
        present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
        for value in present.tolist():
            if value not in self.ids:
                known = ", ".join(str(item) for item in sorted(self.ids))
                raise AnnotationError(
                    f"{mask_path}: holds the value {value}, but --map names only {known}; "
                    f"add {value}=NAME or {value}={IGNORE_NAME} to --map"
                )
        table = np.full(256, IGNORE_ID, np.uint8)
        table[list(self.ids)] = list(self.ids.values())
        return table[mask]


def parse_value_map(text: str) -> ValueMap:
    """Read `1=pet,2=background,3=border`: ids count from 0 in the order names first appear.

    Two values may share a name; the name `ignore` becomes the ignore id.

    Raises:
        DatasetError: not VALUE=NAME, a value outside 0 to 255 or given twice, or no class at all.
    """
    names: list[str] = []
    ids: dict[int, int] = {}
    for entry in text.split(","):
        value, name = _parse_entry(entry)
        if value in ids:
            raise DatasetError(f"the map '{text}' gives the value {value} twice; keep one of them")
        if name != IGNORE_NAME and name not in names:
            names.append(name)
        ids[value] = IGNORE_ID if name == IGNORE_NAME else names.index(name)
    if not names:
        raise DatasetError(f"the map '{text}' names no class; write for example 0=background,1=pet")
    return ValueMap(tuple(names), ids)


def _parse_entry(entry: str) -> tuple[int, str]:
    value, equals, name = (part.strip() for part in entry.partition("="))
    if not (equals and name and value.isascii() and value.isdigit() and int(value) <= 255):
        raise DatasetError(f"'{entry}' is not VALUE=NAME with a value from 0 to 255; write for example 1=pet")
    return int(value), name


def import_masks(
    images: Path,
    masks: Path,
    out: Path,
    value_map: ValueMap,
    description: Description,
    *,
    skip_bad: bool = False,
    track: Track = untracked,
) -> ImportReport:
    """Make the data set `out` from a folder of pictures and a folder of masks.

    Pictures are copied byte for byte. Hidden files and files that are no images are passed over.

    Args:
        images: folder of pictures.
        masks: folder of masks, one byte per pixel, with the stems of the pictures.
        out: the data set folder to make.
        value_map: what the mask values mean.
        description: name, source, licence and split of the new data set.
        skip_bad: leave bad pairs out and report them, where the first would otherwise end the import.
        track: shows progress over the pairs.

    Raises:
        DatasetError: a folder is absent, a picture or mask has no partner, sizes differ, or `out` exists.
        AnnotationError: a mask value that the map does not name.
        ImageError: a file that cannot be decoded.
    """
    writer = description.writer(out, make_classes(value_map.class_names))
    pairs, skipped = _pair(_by_stem(images), _by_stem(masks), images, masks)
    if skipped and not skip_bad:
        raise DatasetError(_alone_sentence(skipped))
    imported = 0
    with writer:
        for image_path, mask_path in track(pairs):
            try:
                mask = _read_pair(image_path, mask_path, value_map)
            except (DatasetError, ImageError) as error:
                if not skip_bad:
                    raise
                skipped.append(str(error))
                continue
            writer.add_file(image_path, mask)
            imported += 1
    return ImportReport(imported, skipped=tuple(skipped))


def _read_pair(image_path: Path, mask_path: Path, value_map: ValueMap) -> ClassMap:
    image, mask = read_image(image_path), value_map.apply(read_mask(mask_path), mask_path)
    check_pair(image, mask, mask_path, len(value_map.class_names), IGNORE_ID)
    return mask


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; check the path")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if path.stem in found:
            raise DatasetError(f"{folder}: {found[path.stem].name} and {path.name} share a stem; rename one of them")
        found[path.stem] = path
    if not found:
        raise DatasetError(f"{folder}: holds no image files; check the path")
    return found


def _pair(
    images: Mapping[str, Path], masks: Mapping[str, Path], image_folder: Path, mask_folder: Path
) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return the pairs, and a sentence for every file without a partner."""
    pairs = [(path, masks[stem]) for stem, path in images.items() if stem in masks]
    alone = [
        f"{path}: no mask called '{stem}' in {mask_folder}; add it or use --skip-bad"
        for stem, path in images.items()
        if stem not in masks
    ] + [
        f"{path}: no picture called '{stem}' in {image_folder}; add it or use --skip-bad"
        for stem, path in masks.items()
        if stem not in images
    ]
    return pairs, alone


def _alone_sentence(alone: Sequence[str]) -> str:
    more = f" ({len(alone) - 1} more files have no partner)" if len(alone) > 1 else ""
    return alone[0] + more
