"""Between image resolution and network resolution: the one way down and the one way up.

Training, calibration, evaluation and the camera all call these, so they see the same pixels. So do all processors:
OpenCV's plain INTER_LINEAR rounds uint8 otherwise on ARM than on x86, INTER_LINEAR_EXACT and INTER_AREA do not.
"""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap, RgbImage

Scores: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
"""[height, width, classes]; a higher value means a likelier class."""

Plane: TypeAlias = NDArray[Any]
"""[height, width], the scores of one class, contiguous."""


def shrink_image(image: RgbImage, height: int, width: int) -> RgbImage:
    """Resize [h, w, 3] uint8 to [height, width, 3], averaging areas where it shrinks (no aliasing)."""
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR_EXACT
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
    planes = np.ascontiguousarray(scores.transpose(2, 0, 1))
    best = _upsample(planes[0], height, width)
    class_map = np.zeros((height, width), np.uint8)
    for index in range(1, len(planes)):
        plane = _upsample(planes[index], height, width)
        # Ids grow, so painting the pixels a class wins is a maximum; cv2 beats NumPy several times here.
        won: ClassMap = np.asarray(cv2.min(cv2.compare(plane, best, cv2.CMP_GT), index), np.uint8)  # pyright: ignore
        cv2.max(class_map, won, dst=class_map)
        cv2.max(best, plane, dst=best)
    return class_map


def class_map_from_probability(plane: Plane, threshold: float, height: int, width: int) -> ClassMap:
    """Upsample one plane of probabilities [h, w] to [height, width]; 1 where above `threshold`, else 0."""
    upsampled = _upsample(np.ascontiguousarray(plane), height, width)
    _, class_map = cv2.threshold(upsampled, threshold, 1, cv2.THRESH_BINARY)
    return np.asarray(class_map, dtype=np.uint8)


def _upsample(plane: Plane, height: int, width: int) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR_EXACT))
