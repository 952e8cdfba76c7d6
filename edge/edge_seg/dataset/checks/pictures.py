"""What a check's page shows of a picture: small, with its mask, and with what is wrong drawn in."""

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.classes import SegmentationClass
from edge_seg.drawing import draw_overlay
from edge_seg.images import ClassMap, RgbImage
from edge_seg.outlines import Points

THUMBNAIL_WIDTH = 360

STRAY_RGB = (255, 0, 255)
"""Drawn over pixels whose id is no class."""

PRESENT_RGB, MOVED_RGB = (230, 80, 40), (60, 230, 120)
"""Outlines of a mask that looks shifted: where it is, and where it fits better."""

_HALO_RGB = (20, 20, 20)


def thumbnail(image: RgbImage) -> RgbImage:
    """Shrink a picture (RGB uint8 [h, w, 3]) to 360 pixels of width."""
    height, width = image.shape[:2]
    size = THUMBNAIL_WIDTH, max(1, round(height * THUMBNAIL_WIDTH / width))
    method = cv2.INTER_AREA if width > THUMBNAIL_WIDTH else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def masked_thumbnail(image: RgbImage, mask: ClassMap, classes: Sequence[SegmentationClass], ignore_id: int) -> RgbImage:
    """Shrink a picture and blend its mask over it, whatever the mask's size; ids that are no class glare."""
    small = thumbnail(image)
    fitted = _fitted(mask, small)
    drawn = draw_overlay(small, fitted, classes)
    drawn[(fitted >= len(classes)) & (fitted != ignore_id)] = STRAY_RGB
    return drawn


def shifted_thumbnail(image: RgbImage, mask: ClassMap, shift_px: tuple[int, int]) -> RgbImage:
    """Shrink a picture and draw the outlines of its mask where they are and where they fit better.

    Args:
        image: RGB uint8 [h, w, 3].
        mask: class ids, uint8 [h, w].
        shift_px: pixels to the right and down, at the picture's full size.
    """
    small = thumbnail(image)
    fitted = _fitted(mask, small)
    scale = small.shape[1] / image.shape[1]
    offset = np.rint(np.array(shift_px) * scale).astype(np.int32)
    for class_id in np.flatnonzero(np.bincount(fitted.ravel(), minlength=256))[1:]:
        outlines = _contours(fitted == class_id)
        _draw(small, outlines, PRESENT_RGB)
        _draw(small, [points + offset for points in outlines], MOVED_RGB)
    return small


def _contours(where: NDArray[np.bool_]) -> list[Points]:
    found = cv2.findContours(where.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return cast("tuple[list[Points], object]", found)[0]


def _draw(image: RgbImage, outlines: Sequence[Points], colour: tuple[int, int, int]) -> None:
    for line, thickness in ((_HALO_RGB, 4), (colour, 2)):
        cv2.polylines(image, outlines, True, line, thickness, cv2.LINE_AA)


def _fitted(mask: ClassMap, image: RgbImage) -> ClassMap:
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
