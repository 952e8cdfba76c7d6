"""Masks that keep the contract in all but form: mode, format, orientation or scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_seg.classes import SegmentationClass
from edge_seg.dataset.folder import Sample
from edge_seg.dataset.image_header import ID_MODES, UNREADABLE, Header, opened, read_header
from edge_seg.images import LARGEST_PICTURE_PIXELS, ClassMap, RgbImage, upright_mask

_LOSSLESS_FORMATS = ("PNG", "BMP", "TIFF", "GIF")
_COLOUR_MODES = ("RGB", "RGBA", "P", "PA", "LA")
_VOID_COLOUR = (224, 224, 192)  # of what is ignored, in masks of this package and of PASCAL VOC
_LARGEST_SCALE = 8  # beyond, the mask is too coarse to be of this picture


@dataclass(frozen=True)
class Ids:
    """Which values a mask may hold, and in which colours they are drawn."""

    classes: Sequence[SegmentationClass]
    ignore_id: int

    def are(self, values: NDArray[np.integer]) -> bool:
        """Tell whether all values are ids."""
        return set(np.unique(values).tolist()) <= {*range(len(self.classes)), self.ignore_id}

    def by_colour(self) -> dict[tuple[int, int, int], int]:
        """The ids by colour; empty if two classes share one."""
        ids = {_VOID_COLOUR: self.ignore_id} | {item.rgb: item.id for item in self.classes}
        return ids if len({item.rgb for item in self.classes}) == len(self.classes) else {}


@dataclass(frozen=True, eq=False)
class RepairedMask:
    """A mask (class ids, uint8 [h, w]) and what was done to it, in words."""

    mask: ClassMap
    done: tuple[str, ...] = ()

    def after(self, mask: ClassMap, deed: str) -> "RepairedMask":
        """Return what the mask has become by one more repair."""
        return RepairedMask(mask, (*self.done, deed))


def repair_mask(sample: Sample, ids: Ids) -> RepairedMask | None:
    """Read the mask of a picture and repair what can have one meaning only.

    Returns:
        None if there is nothing to repair, or no telling how.
    """
    picture, header = read_header(sample.image_path), read_header(sample.mask_path)
    if picture is None or header is None or header.format not in _LOSSLESS_FORMATS:
        return None
    if (
        math.prod(header.stored_size) > LARGEST_PICTURE_PIXELS
        or math.prod(picture.stored_size) > LARGEST_PICTURE_PIXELS
    ):
        return None
    try:
        read = _read(sample.mask_path, header, ids)
    except UNREADABLE:
        return None
    repaired = read and _scaled(_turned(read, picture), picture)
    return repaired if repaired and repaired.done else None


def is_scaled(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tell whether two sizes (width, height) differ by one factor, up to 8, rounded one way to whole pixels.

    A difference of a single pixel may as well be a cut, so it is none.
    """
    (less_wide, less_high), (width, height) = sorted((size, other))
    if max(width - less_wide, height - less_high) <= 1 or less_wide * _LARGEST_SCALE < width:
        return False
    return any(
        max((less_wide + low) / width, (less_high + low) / height)
        < min((less_wide + low + 1) / width, (less_high + low + 1) / height)
        for low in (0.0, -0.5, -1.0)  # rounded down, to the nearest, up
    )


def _read(path: Path, header: Header, ids: Ids) -> RepairedMask | None:
    with opened(path) as image:
        if image.mode in ID_MODES and ids.are(np.asarray(image)):
            mask = np.asarray(image, np.uint8).copy()
            return RepairedMask(mask, () if header.format == "PNG" else (f"rewritten as PNG, from {header.format}",))
        recovered = _recovered(image, ids)
    return recovered and RepairedMask(recovered[0], (f"ids recovered from {recovered[1]} of mode {header.mode}",))


def _recovered(image: Image.Image, ids: Ids) -> tuple[ClassMap, str] | None:
    """Recover ids from the values or the colours of a mask, if they do not contradict each other."""
    values, rgb = _values(image), _opaque_rgb(image)
    by_value = values.astype(np.uint8) if values is not None and ids.are(values) else None
    by_colour = _ids_of_colours(rgb, ids) if rgb is not None else None
    if by_colour is not None:
        agreed = by_value is None or np.array_equal(by_value, by_colour)
        return (by_colour, "the colours" if by_value is None else "the values") if agreed else None
    # Black and white alone is a mask of two classes elsewhere; here white would be ignored.
    if by_value is None or set(np.unique(by_value).tolist()) <= {0, 255}:
        return None
    return by_value, "the values"


def _values(image: Image.Image) -> NDArray[np.integer] | None:
    """One number per pixel, [h, w]; None for colours and for indices of a palette, which someone chose as colours."""
    if image.mode.startswith("I"):
        return np.asarray(image)
    rgb = _opaque_rgb(image) if image.mode in ("RGB", "RGBA", "LA") else None
    return None if rgb is None or (rgb[..., :1] != rgb[..., 1:]).any() else rgb[..., 0]


def _opaque_rgb(image: Image.Image) -> RgbImage | None:
    """The colours of a picture, [h, w, 3]; None if it has none, or is anywhere transparent."""
    if image.mode not in _COLOUR_MODES:
        return None
    rgba = np.asarray(image.convert("RGBA"), np.uint8)
    return None if (rgba[..., 3] < 255).any() else rgba[..., :3]


def _ids_of_colours(rgb: RgbImage, ids: Ids) -> ClassMap | None:
    codes = rgb.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    known = {red << 16 | green << 8 | blue: class_id for (red, green, blue), class_id in ids.by_colour().items()}
    present, places = np.unique(codes, return_inverse=True)
    if not set(present.tolist()) <= set(known):
        return None
    table = np.array([known[code] for code in present.tolist()], np.uint8)
    return table[places].reshape(codes.shape)


def _turned(repaired: RepairedMask, picture: Header) -> RepairedMask:
    """Turn a mask that was drawn on its picture as stored, not as shown."""
    if not picture.lies or _size(repaired.mask) != picture.stored_size or picture.size == picture.stored_size:
        return repaired
    return repaired.after(upright_mask(repaired.mask, picture.orientation), "turned upright with its picture")


def _scaled(repaired: RepairedMask, picture: Header) -> RepairedMask:
    size = _size(repaired.mask)
    if not is_scaled(size, picture.size):
        return repaired
    scaled = np.asarray(cv2.resize(repaired.mask, picture.size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
    return repaired.after(scaled, f"scaled from {size[0]}×{size[1]} to {picture.size[0]}×{picture.size[1]}")


def _size(mask: ClassMap) -> tuple[int, int]:
    return mask.shape[1], mask.shape[0]
