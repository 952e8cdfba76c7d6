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
    colours = np.zeros((1, 256, 3), np.uint8)
    drawn = np.zeros((1, 256), np.uint8)
    for item in classes:
        if not item.is_background:
            colours[0, item.id], drawn[0, item.id] = item.rgb, 255
    painted = cv2.LUT(cv2.merge([class_map] * 3), colours)
    blended = cv2.addWeighted(image, 1 - opacity, painted, opacity, 0)
    return np.asarray(cv2.copyTo(blended, cv2.LUT(class_map, drawn), image.copy()), dtype=np.uint8)
