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
    dimmed = cv2.convertScaleAbs(image, alpha=1 - opacity)
    for item in classes:
        where: ClassMap = np.asarray(cv2.inRange(class_map, item.id, item.id), np.uint8)  # pyright: ignore
        if not item.is_background and cv2.countNonZero(where):
            # A look-up table of colours over the whole picture takes three times as long as this.
            colour = tuple(opacity * value for value in (*item.rgb, 0))
            cv2.copyTo(cv2.add(dimmed, colour), where, drawn)  # pyright: ignore
    return drawn
