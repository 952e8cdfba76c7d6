"""Points of a picture that are found again after it was turned, cropped, mirrored, recoloured or recompressed."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

MOST_POINTS = 96
UNITS = 256
"""Points are counted in this many parts of the picture's width and height."""

_FOUND_PER_KEPT = 3
_CELLS = 4  # a picture is divided into 4×4
_MOST_BITS_APART = 64  # of 256
_MOST_UNITS_OFF = 4.0
_FEWEST_AGREEING = 9


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """Points with what surrounds them.

    Attributes:
        points: [n, 2] uint8, x and y in 256ths of the picture's width and height.
        descriptors: [n, 32] uint8, 256 bits each, alike for alike surroundings.
    """

    points: NDArray[np.uint8]
    descriptors: NDArray[np.uint8]


def local_features(grey: NDArray[np.uint8]) -> tuple[LocalFeatures, LocalFeatures]:
    """Return the features of a picture of about 320 pixels (uint8 [h, w]) and those of its mirror image.

    ORB (Rublee et al. 2011) finds the same points whichever way a picture is turned, but not in a mirror:
    so the same points are described a second time, in the mirrored picture. At most 96 points, spread
    evenly, as the strongest ones tend to crowd on a single object.
    """
    orb = cv2.ORB.create(
        nfeatures=MOST_POINTS * _FOUND_PER_KEPT, scaleFactor=1.25, nlevels=5, edgeThreshold=16, fastThreshold=8
    )
    keypoints = _spread(orb.detect(grey), grey.shape)
    mirrored = [_mirrored(keypoint, grey.shape[1]) for keypoint in keypoints]
    return _described(orb, grey, keypoints), _described(orb, cv2.flip(grey, 1), mirrored)


def agreed_map(first: LocalFeatures, second: LocalFeatures) -> NDArray[np.float64] | None:
    """Find the affine map from `first` to `second` that enough of their matching points agree on (RANSAC).

    Nine points must agree: of 4,200 pairs out of different data sets that looked worth a comparison two had as many.

    Returns:
        [2, 3], in 256ths of width and height; None when there is no such map.
    """
    if min(len(first.points), len(second.points)) < _FEWEST_AGREEING:
        return None
    matches = cv2.BFMatcher.create(cv2.NORM_HAMMING, crossCheck=True).match(first.descriptors, second.descriptors)
    close = [(match.queryIdx, match.trainIdx) for match in matches if match.distance <= _MOST_BITS_APART]
    if len(close) < _FEWEST_AGREEING:
        return None
    ours, theirs = np.array(close).T
    cv2.setRNGSeed(0)  # the same pictures shall give the same answer
    affine, agreeing = cv2.estimateAffine2D(
        first.points[ours].astype(np.float32),
        second.points[theirs].astype(np.float32),
        ransacReprojThreshold=_MOST_UNITS_OFF,
        maxIters=300,
        refineIters=2,
    )
    return np.asarray(affine, np.float64) if np.count_nonzero(agreeing) >= _FEWEST_AGREEING else None


def _spread(keypoints: Sequence[cv2.KeyPoint], shape: tuple[int, ...]) -> list[cv2.KeyPoint]:
    """Keep the strongest point of every cell, then the second of every cell, and so on."""
    if len(keypoints) <= MOST_POINTS:
        return list(keypoints)
    strength = np.array([keypoint.response for keypoint in keypoints])
    places = np.array([keypoint.pt for keypoint in keypoints]) * _CELLS // (shape[1], shape[0])
    cells = places[:, 0] * _CELLS + places[:, 1]
    order = np.lexsort((-strength, cells))
    first_of_cell = np.searchsorted(cells[order], cells[order])
    rank = np.arange(len(order)) - first_of_cell
    kept = order[np.lexsort((-strength[order], rank))[:MOST_POINTS]]
    return [keypoints[index] for index in kept]


def _mirrored(keypoint: cv2.KeyPoint, width: int) -> cv2.KeyPoint:
    x, y = keypoint.pt
    angle = (180 - keypoint.angle) % 360
    return cv2.KeyPoint(width - 1 - x, y, keypoint.size, angle, keypoint.response, keypoint.octave)


def _described(orb: cv2.ORB, grey: MatLike, keypoints: list[cv2.KeyPoint]) -> LocalFeatures:
    described, descriptors = orb.compute(grey, keypoints)
    if not described:
        return LocalFeatures(np.zeros((0, 2), np.uint8), np.zeros((0, 32), np.uint8))
    height, width = grey.shape
    points = np.array([keypoint.pt for keypoint in described]) * (UNITS / width, UNITS / height)
    return LocalFeatures(np.clip(points, 0, UNITS - 1).astype(np.uint8), np.asarray(descriptors, np.uint8))
