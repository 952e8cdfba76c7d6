"""Between image resolution and network resolution: the one way down and the one way up.

Training, calibration, evaluation and the camera all call these, so they see the same pixels. So do all processors:
OpenCV's plain INTER_LINEAR rounds uint8 otherwise on ARM than on x86, INTER_LINEAR_EXACT does not; INTER_AREA does
only where the exact average lies halfway between two bytes.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.area_average import area_average
from edge_seg.images import ClassMap, RgbImage

Scores: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
"""[height, width, classes]; a higher value means a likelier class."""

Plane: TypeAlias = NDArray[Any]
"""[height, width], the scores of one class, contiguous."""

_NEIGHBOURS = np.ones((2, 2), np.uint8)
_MOST_CLASSES_COUNTED_SINGLY = 6
"""A comparison of the whole map is six times as fast as its histogram."""
_FLOAT_SLACK = 1e-5
"""Share of the greatest score by which float arithmetic may err in an interpolated one."""


def shrink_image(image: RgbImage, height: int, width: int) -> RgbImage:
    """Resize [h, w, 3] uint8 to [height, width, 3], averaging areas where it shrinks (no aliasing)."""
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    average = area_average(image.shape[:2], (height, width)) if shrinks else None
    if average is not None:
        return average.shrink(image, height, width)
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

    Classes that can win nowhere are left out first, which changes no pixel.

    Args:
        scores: [h, w, classes], uint8 or float32, contiguous or not. Two classes or more.

    Returns:
        [height, width] uint8 class ids; the lower id wins a tie.
    """
    planes = np.ascontiguousarray(scores.transpose(2, 0, 1))
    first, *others = contenders(planes)
    class_map = np.full((height, width), first, np.uint8)
    if not others:
        return class_map
    best = _upsample(planes[first], height, width)
    for index in others:
        plane = _upsample(planes[index], height, width)
        # Ids grow, so painting the pixels a class wins is a maximum; cv2 beats NumPy several times here.
        _, won = cv2.threshold(cv2.compare(plane, best, cv2.CMP_GT), 0, index, cv2.THRESH_BINARY)
        cv2.max(class_map, won, dst=class_map)
        if index != others[-1]:
            cv2.max(best, plane, dst=best)
    return class_map


def contenders(planes: Plane) -> list[int]:
    """Return the classes that may be best at some pixel after bilinear upsampling, in ascending order.

    Between four neighbours no score falls below their least or rises above their greatest. So a class whose
    greatest score around a pixel is under the greatest least score of another one cannot win there.

    Args:
        planes: [classes, h, w], uint8 or float32.

    Returns:
        One class or more; those left out win nowhere, not even by a tie.
    """
    floor = _over_neighbours(cv2.erode, planes).max(axis=0)
    if floor.dtype != np.uint8:
        floor -= _FLOAT_SLACK * np.abs(planes).max()
    beaten = _over_neighbours(cv2.dilate, planes) < floor  # false for NaN: such a class stays
    return [index for index, everywhere in enumerate(beaten) if not everywhere.all()]


def _over_neighbours(extreme: Callable[..., Any], planes: Plane) -> Plane:
    """Take the least or greatest of each pixel and its neighbours to the left, above and both.

    The planes lie one below the other, so the first row of one sees the last row of another; that row is left
    out, as its pixels are among the neighbours of the second.
    """
    stacked = planes.reshape(-1, planes.shape[-1])
    extremes = np.asarray(extreme(stacked, _NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)).reshape(planes.shape)
    return extremes[:, 1:] if planes.shape[1] > 1 else extremes


def class_map_from_probability(plane: Plane, threshold: float, height: int, width: int) -> ClassMap:
    """Upsample one plane of probabilities [h, w] to [height, width]; 1 where above `threshold`, else 0."""
    upsampled = _upsample(np.ascontiguousarray(plane), height, width)
    _, class_map = cv2.threshold(upsampled, threshold, 1, cv2.THRESH_BINARY)
    return np.asarray(class_map, dtype=np.uint8)


def count_pixels(class_map: ClassMap, classes: int) -> list[int]:
    """Count the pixels of each class 0 to `classes` − 1."""
    if classes > _MOST_CLASSES_COUNTED_SINGLY:
        return [int(count) for count in cv2.calcHist([class_map], [0], None, [classes], [0, classes]).ravel()]
    counts = [cv2.countNonZero(cv2.inRange(class_map, index, index)) for index in range(classes - 1)]  # pyright: ignore
    return [*counts, class_map.size - sum(counts)]


def _upsample(plane: Plane, height: int, width: int) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR_EXACT))
