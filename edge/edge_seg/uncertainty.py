"""How unsure a model was of a whole picture, in numbers that compare between pictures and models."""

import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap
from edge_seg.scores import ScoreMap

Grey = NDArray[np.uint8]

STILL_GREY_LEVELS = 8
"""A pixel of network size that changed by fewer grey levels shows the same; averaged sensor noise is below 2."""

_LEAST_STILL_SHARE = 0.5


def uncertainty(scores: ScoreMap) -> float:
    """Return how unsure a picture is, 0 (sure) to 1: one minus the margin, the mean over classes.

    The margin is averaged over the pixels of each class the model sees, and then over these classes,
    so that a small object counts as much as what surrounds it, as it does in mIoU. Of the ways to sum
    up the margins of a picture this one goes best with its mIoU: `python -m edge_seg_bench.collecting`.
    """
    unsure, ids = 1 - scores.margin.ravel(), scores.class_map.ravel()
    pixels_of = (ids == class_id for class_id in range(scores.probabilities.shape[2]))
    # Products with masks take a sixth of np.bincount's time, which converts what it is given.
    return float(np.mean([unsure @ pixels / count for pixels in pixels_of if (count := np.count_nonzero(pixels))]))


def flicker(before: ClassMap, now: ClassMap, grey_before: Grey, grey_now: Grey) -> float:
    """Return the share of still pixels whose class changed, 0 to 1; 0 when most of the picture moved.

    Args:
        before: [h, w] uint8, an earlier class map at network resolution.
        now: [h, w] uint8, the present one.
        grey_before: [h, w] uint8, the earlier picture at that size.
        grey_now: [h, w] uint8, the present picture.
    """
    still = np.abs(grey_now.astype(np.int16) - grey_before) < STILL_GREY_LEVELS
    if still.mean() < _LEAST_STILL_SHARE:
        return 0.0
    changed: NDArray[np.bool_] = (before != now) & still
    return np.count_nonzero(changed) / np.count_nonzero(still)
