"""Between image resolution and network resolution: the one way down and the one way up.

Training, calibration, evaluation and the camera all call these, so they see the same pixels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap, RgbImage

Scores = NDArray[np.uint8] | NDArray[np.float32]
"""[height, width, classes]; a higher value means a likelier class."""


def shrink_image(image: RgbImage, height: int, width: int) -> RgbImage:
    """Resize [h, w, 3] uint8 to [height, width, 3], averaging areas where it shrinks (no aliasing)."""
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), dtype=np.uint8)


def shrink_mask(mask: ClassMap, height: int, width: int) -> ClassMap:
    """Resize class ids [h, w] uint8 to [height, width] by the nearest pixel centre."""
    resized = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, dtype=np.uint8)


def enlarge_class_map(class_map: ClassMap, height: int, width: int) -> ClassMap:
    """Resize a class map that has no scores behind it, by the nearest pixel centre."""
    return shrink_mask(class_map, height, width)


def class_map_from_scores(scores: Scores, height: int, width: int) -> ClassMap:
    """Upsample scores bilinearly to [height, width] and take the best class per pixel.

    Args:
        scores: [h, w, classes], uint8 or float32, contiguous or not. Two classes or more.

    Returns:
        [height, width] uint8 class ids; the lower id wins a tie.
    """
    planes = [_upsample(scores[:, :, index], height, width) for index in range(scores.shape[2])]
    best, class_map = planes[0], np.zeros((height, width), np.uint8)
    for index, plane in enumerate(planes[1:], start=1):
        # cv2 does these several times faster than NumPy, and into the same buffers.
        cv2.copyTo(np.full_like(class_map, index), cv2.compare(plane, best, cv2.CMP_GT), class_map)
        best = np.asarray(cv2.max(plane, best))
    return class_map


def _upsample(plane: Scores, height: int, width: int) -> Scores:
    contiguous = np.ascontiguousarray(plane)
    return np.asarray(cv2.resize(contiguous, (width, height), interpolation=cv2.INTER_LINEAR))
