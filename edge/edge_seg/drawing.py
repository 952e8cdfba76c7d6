"""Pictures of segmentations: arrays in, arrays out."""

from collections.abc import Sequence

import cv2
import numpy as np

from edge_seg.classes import SegmentationClass
from edge_seg.images import ClassMap, RgbImage

DEFAULT_OPACITY = 0.55


def draw_overlay(
    image: RgbImage,
    class_map: ClassMap,
    classes: Sequence[SegmentationClass],
    opacity: float = DEFAULT_OPACITY,
) -> RgbImage:
    """Blend class colours over an image; backgrounds and ignored pixels stay as they are.

    Args:
        image: [h, w, 3] uint8 RGB, left untouched.
        class_map: [h, w] uint8 class ids.
        classes: the classes, by id.
        opacity: share of the colour, 0 to 1.
    """
    drawn = image.copy()
    for item in classes:
        if not item.is_background:
            where: ClassMap = np.asarray(cv2.inRange(class_map, item.id, item.id), np.uint8)  # pyright: ignore
            _blend(drawn, image, where, item.rgb, opacity)
    return drawn


def _blend(drawn: RgbImage, image: RgbImage, where: ClassMap, rgb: tuple[int, int, int], opacity: float) -> None:
    """Blend one colour over `image` into `drawn` where `where` is 255, looking at no more than the box around that."""
    left, top, width, height = cv2.boundingRect(where)
    if not width:
        return
    box = (slice(top, top + height), slice(left, left + width))
    # A look-up table of colours over the whole picture takes three times as long as this.
    dimmed = cv2.convertScaleAbs(image[box], alpha=1 - opacity)
    colour = tuple(opacity * value for value in (*rgb, 0))
    coloured: RgbImage = np.asarray(cv2.add(dimmed, colour), np.uint8)  # pyright: ignore
    cv2.copyTo(coloured, where[box], drawn[box])
