"""Regions of interest: polygons in shares of the picture, so that they fit any camera size."""

from dataclasses import dataclass
from decimal import Decimal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import RgbImage

_SUBPIXEL_BITS = 8


@dataclass(frozen=True)
class Region:
    """A polygon; `points` are (x, y) in shares of width and height, 0 to 1, in order around it."""

    points: tuple[tuple[float, float], ...]
    name: str | None = None

    def __str__(self) -> str:
        return "(" + " ".join(f"{plain_number(x)},{plain_number(y)}" for x, y in self.points) + ")"


def region_mask(region: Region, height: int, width: int) -> NDArray[np.uint8]:
    """Return the pixels of a region.

    Args:
        region: the polygon; where it crosses itself the even-odd rule holds.
        height: of the picture, in pixels.
        width: likewise.

    Returns:
        [height, width] uint8, 255 inside and on the edge, 0 elsewhere; never all 0.
    """
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [_corners(region, height, width)], (255,), shift=_SUBPIXEL_BITS)
    return mask


def outline_region(picture: RgbImage, region: Region) -> None:
    """Draw a region's outline into a picture [height, width, 3] uint8 RGB, in place."""
    height, width = picture.shape[:2]
    corners = _corners(region, height, width)
    thickness = max(height // 240, 1)
    cv2.polylines(picture, [corners], True, (255, 255, 255), thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _corners(region: Region, height: int, width: int) -> NDArray[np.int32]:
    """Return the points in pixels, as the fixed-point numbers that OpenCV draws with."""
    corners = np.array(region.points) * (width - 1, height - 1) * (1 << _SUBPIXEL_BITS)
    return corners.round().astype(np.int32)


def plain_number(value: float) -> str:
    """Write a number without an exponent, so that reading it gives the same float."""
    return plain_decimal(Decimal(repr(value)))


def plain_decimal(value: Decimal) -> str:
    """Write a decimal number without an exponent and without zeros at its end."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
