"""Pictures with masks in a second folder, paired by file stem."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_seg.classes import make_classes
from edge_seg.dataset import Sample
from edge_seg.errors import AnnotationError, DatasetError, ImageError
from edge_seg.images import IMAGE_SUFFIXES, ClassMap, decoded_size, write_mask
from edge_seg.importers.description import Description, ImportReport
from edge_seg.importers.mask_maps import MaskMap
from edge_seg.importers.pictures import check_name
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked


@dataclass(frozen=True)
class Pairs:
    """Pictures with their masks, and a sentence for every file without a partner."""

    pairs: tuple[tuple[Path, Path], ...]
    alone: tuple[str, ...] = ()


def paired(images: Path, masks: Path) -> Pairs:
    """Pair all files of two folders by their stems. Hidden files and files that are no images are passed over.

    Raises:
        DatasetError: a folder is absent or holds no images, or two of its files share a stem.
    """
    return _pair(_by_stem(images), _by_stem(masks), images, masks)


def pictures_of_masks(images: Path, masks: Path) -> Pairs:
    """Pair every mask with its picture; pictures without a mask are not annotated and are passed over.

    Raises:
        DatasetError: as `paired`.
    """
    pictures, found = _by_stem(images), _by_stem(masks)
    return _pair({stem: path for stem, path in pictures.items() if stem in found}, found, images, masks)


def import_masks(
    pairs: Pairs,
    out: Path,
    mask_map: MaskMap,
    description: Description,
    *,
    skip_bad: bool = False,
    track: Track = untracked,
) -> ImportReport:
    """Make the data set `out` from pictures with masks. Pictures are copied byte for byte.

    Args:
        pairs: pictures and masks.
        out: the data set folder to make.
        mask_map: what the masks' values or colours mean.
        description: name, source, licence and split of the new data set.
        skip_bad: leave bad pairs out and report them, where the first would otherwise end the import.
        track: shows progress over the pairs.

    Raises:
        DatasetError: a file without a partner, sizes that differ, or `out` exists.
        AnnotationError: a mask value that the map does not name, or a file that cannot be decoded.
    """
    for image, _ in pairs.pairs:
        check_name(image.name, image)
    writer = description.writer(out, make_classes(mask_map.class_names))
    if pairs.alone and not skip_bad:
        raise DatasetError(_alone_sentence(pairs.alone))
    skipped = list(pairs.alone)
    with writer:
        colours = [item.rgb for item in make_classes(mask_map.class_names)]
        tasks = [(image, mask, writer.place(image.name)) for image, mask in pairs.pairs]
        results = map_in_processes(partial(_translate, mask_map, colours, skip_bad), tasks)
        for (image, _), fault in zip(pairs.pairs, track(results, total=len(tasks)), strict=True):
            if fault is None:
                writer.record(image.name)
            else:
                skipped.append(fault)
    imported = len(pairs.pairs) - (len(skipped) - len(pairs.alone))
    return ImportReport(imported, skipped=tuple(skipped))


def _translate(
    mask_map: MaskMap, colours: list[tuple[int, int, int]], skip_bad: bool, task: tuple[Path, Path, Sample]
) -> str | None:
    """Write a picture and its mask to their place; return a sentence when the pair is to be left out."""
    image_path, mask_path, place = task
    try:
        mask = _read_pair(image_path, mask_path, mask_map)
    except DatasetError as error:
        if skip_bad:
            return str(error)
        raise
    shutil.copyfile(image_path, place.image_path)
    write_mask(place.mask_path, mask, colours)
    return None


def _read_pair(image_path: Path, mask_path: Path, mask_map: MaskMap) -> ClassMap:
    try:
        mask = mask_map.read(mask_path)
        size = decoded_size(image_path).upright
    except ImageError as error:
        raise AnnotationError(str(error)) from None
    if size != mask.shape[::-1]:
        (width, height), (mask_height, mask_width) = size, mask.shape
        raise DatasetError(
            f"{mask_path}: the mask is {mask_width}×{mask_height} but its image is {width}×{height}; "
            "export the mask at the image's size"
        )
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


def _pair(images: Mapping[str, Path], masks: Mapping[str, Path], image_folder: Path, mask_folder: Path) -> Pairs:
    pairs = tuple((path, masks[stem]) for stem, path in images.items() if stem in masks)
    alone = [
        f"{path}: no mask called '{stem}' in {mask_folder}; add it or use --skip-bad"
        for stem, path in images.items()
        if stem not in masks
    ] + [
        f"{path}: no picture called '{stem}' in {image_folder}; add it or use --skip-bad"
        for stem, path in masks.items()
        if stem not in images
    ]
    return Pairs(pairs, tuple(alone))


def _alone_sentence(alone: Sequence[str]) -> str:
    more = f" ({len(alone) - 1} more files have no partner)" if len(alone) > 1 else ""
    return alone[0] + more
