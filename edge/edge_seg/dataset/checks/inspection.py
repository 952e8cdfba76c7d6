"""What decoding one picture and its mask tells."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.components import components
from edge_seg.dataset.alignment import Alignment, align
from edge_seg.dataset.checks.findings import Finding
from edge_seg.dataset.folder import Dataset, Sample, check_pair
from edge_seg.dataset.image_header import ID_MODES, promised_format, read_header, told_format
from edge_seg.dataset.near_duplicates import Fingerprint, fingerprint
from edge_seg.errors import DatasetError, ImageError
from edge_seg.images import ClassMap, RgbImage, read_image, read_mask

_BOX_WIDEST_MASK = 128
_BOX_FILL = 0.985  # of the box around an object; a disc fills 0.785
_BOX_LEAST_AREA = 100  # pixels of a mask at most 128 wide; smaller things are boxes by their pixels


@dataclass(frozen=True, eq=False)
class Inspected:
    """What is kept of one picture and its mask.

    Attributes:
        findings: what is wrong with the two files.
        pixels: [256] uint32, pixels of the mask per id; zeros for a mask that cannot be read.
        image_size: width and height in pixels, upright; None for a picture that cannot be read.
        mask_size: the same of the mask.
        fingerprint: None for a picture that cannot be read.
        alignment: None where picture and mask cannot be compared.
    """

    findings: tuple[Finding, ...]
    pixels: NDArray[np.uint32]
    image_size: tuple[int, int] | None = None
    mask_size: tuple[int, int] | None = None
    fingerprint: Fingerprint | None = None
    alignment: Alignment | None = None


def inspect_sample(dataset: Dataset, sample: Sample) -> Inspected:
    """Decode a picture and its mask and collect all that is wrong with them."""
    with warnings.catch_warnings(action="ignore"):  # decoders' warnings; what matters of them is found below
        image, image_faults = _decoded_image(dataset, sample)
        mask, mask_faults = _decoded_mask(dataset, sample)
    faults = [*_mislabelled(sample), *image_faults, *mask_faults]
    if image is not None and mask is not None:
        faults += _pair_faults(dataset, sample, image, mask)
    pixels = np.bincount(np.ravel(mask) if mask is not None else [], minlength=256).astype(np.uint32)
    if mask is not None:
        faults += _content_faults(dataset, sample, mask, set(np.flatnonzero(pixels).tolist()))
    return Inspected(
        findings=tuple(faults),
        pixels=pixels,
        image_size=_size(image),
        mask_size=_size(mask),
        fingerprint=None if image is None else fingerprint(image),
        alignment=_aligned(image, mask),
    )


def _aligned(image: RgbImage | None, mask: ClassMap | None) -> Alignment | None:
    return None if image is None or mask is None or _size(image) != _size(mask) else align(image, mask)


def _decoded_image(dataset: Dataset, sample: Sample) -> tuple[RgbImage | None, list[Finding]]:
    try:
        return read_image(sample.image_path), []
    except ImageError as error:
        return None, [Finding("undecodable", _within(dataset, error), (sample.name,))]


def _decoded_mask(dataset: Dataset, sample: Sample) -> tuple[ClassMap | None, list[Finding]]:
    try:
        return read_mask(sample.mask_path), []
    except ImageError as error:
        header = read_header(sample.mask_path)
        if header is None or header.mode in ID_MODES:
            return None, [Finding("undecodable", _within(dataset, error), (sample.name,))]
        what = f"{_place(sample.mask_path)}: has mode {header.mode}, colours or numbers that are no ids"
        cure = "save it as a grey or palette PNG, or repair a copy with --fix"
        return None, [Finding("mask-mode", f"{what}; {cure}", (sample.name,))]


def _mislabelled(sample: Sample) -> Iterator[Finding]:
    for path in (sample.image_path, sample.mask_path):
        told, promised = told_format(path), promised_format(path)
        if told and promised and told != promised:
            what = f"{_place(path)}: is a {told} inside, though its name ends in {path.suffix}"
            yield Finding("mislabelled", f"{what}; repair a copy with --fix", (sample.name,))


def _pair_faults(dataset: Dataset, sample: Sample, image: RgbImage, mask: ClassMap) -> Iterator[Finding]:
    """Sizes that differ, or ids that are no class."""
    try:
        check_pair(image, mask, sample.mask_path, len(dataset.classes), dataset.ignore_id)
    except DatasetError as error:
        if _size(image) == _size(mask):
            yield Finding("stray-id", _within(dataset, error), (sample.name,))
        else:
            yield Finding("size-mismatch", _size_sentence(sample, mask) or _within(dataset, error), (sample.name,))


def _size_sentence(sample: Sample, mask: ClassMap) -> str | None:
    """Say that a mask was drawn on the picture as it is stored, not as it is shown."""
    header = read_header(sample.image_path)
    if header is None or not header.lies or header.stored_size != _size(mask):
        return None
    return (
        f"{_place(sample.mask_path)}: the mask lies on its side, as its picture is stored; "
        "the picture is shown turned, by its Exif orientation; repair a copy with --fix"
    )


def _content_faults(dataset: Dataset, sample: Sample, mask: ClassMap, present: set[int]) -> Iterator[Finding]:
    backgrounds = {item.id for item in dataset.classes if item.is_background}
    place, names = _place(sample.mask_path), (sample.name,)
    if present == {dataset.ignore_id}:
        yield Finding(
            "all-ignored", f"{place}: every pixel is {dataset.ignore_id}, to be ignored; annotate it anew", names
        )
    elif present <= backgrounds | {dataset.ignore_id}:
        yield Finding("empty-mask", f"{place}: holds background alone; see whether that is meant", names)
    elif is_boxes(mask, backgrounds | {dataset.ignore_id}):
        yield Finding("box-mask", f"{place}: every object is a plain upright box; draw outlines", names)


def is_boxes(mask: ClassMap, around: set[int]) -> bool:
    """Tell whether all objects of a mask are upright boxes, the largest of them no speck and not the whole picture.

    Args:
        mask: class ids, uint8 [h, w].
        around: ids that are no object.
    """
    scale = min(1.0, _BOX_WIDEST_MASK / max(mask.shape))
    size = max(1, round(mask.shape[1] * scale)), max(1, round(mask.shape[0] * scale))
    small = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    largest = 0
    for piece in components(small, connectivity=4):
        if piece.class_id not in around:
            if piece.area < _BOX_FILL * piece.mask.size:
                return False
            largest = max(largest, piece.area)
    return _BOX_LEAST_AREA <= largest < small.size


def _size(array: RgbImage | ClassMap | None) -> tuple[int, int] | None:
    return None if array is None else (array.shape[1], array.shape[0])


def _place(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _within(dataset: Dataset, error: Exception) -> str:
    """The error's sentence with its file seen from the data set folder."""
    return str(error).removeprefix(f"{dataset.folder}{os.sep}")
