"""Calming a live answer: an exponential moving average of the scores, at network resolution.

For frames that come when they come, the weight of a new one follows from the time since the last,
1 − exp(−Δt / τ) (Eckner 2012, "Algorithms for unevenly spaced time series: moving averages and other
rolling operators"), so that dropped frames do not change what the eye sees.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import ModelError
from edge_seg.images import RgbImage
from edge_seg.resampling import shrink_image
from edge_seg.segmenter import RawOutput, Segmenter
from edge_seg.sources.frame import Frame
from edge_seg.sources.media_time import FrameClock

_THUMBNAIL = (24, 32)
_CUT_GREY_LEVELS = 25.0
_GAP_TIME_CONSTANTS = 4.0

Grey = NDArray[np.uint8]


class ScoreSmoother:
    """Averages a model's raw output over time; starts anew at a cut, another size and after a gap."""

    def __init__(self, time_constant_s: float, clock: FrameClock) -> None:
        """Average over about `time_constant_s` seconds, counted by `clock`."""
        self._time_constant_s, self._clock = time_constant_s, clock
        self._state: _State | None = None

    def smooth(self, frame: Frame, raw: RawOutput) -> RawOutput:
        """Return the average of this output and those before it, in its own dtype."""
        before, now_s, thumbnail = self._state, self._clock(frame), _thumbnail(frame.image)
        weight = 1.0 if before is None else self._weight(before, now_s, raw.size, thumbnail)
        if before is None or weight == 1:
            self._state = _State(now_s, raw.size, thumbnail, raw.tensor.astype(np.float32))
            return raw
        average = before.average + np.float32(weight) * (raw.tensor - before.average)
        self._state = _State(now_s, raw.size, thumbnail, average)
        return replace(raw, tensor=_as_dtype(average, raw.tensor.dtype))

    def _weight(self, before: "_State", now_s: float, size: tuple[int, int], thumbnail: Grey) -> float:
        """Return what the new output counts, 0 to 1; 1 where the one before has nothing to do with it."""
        time_constants = (now_s - before.at_s) / self._time_constant_s
        is_gap = not 0 <= time_constants <= _GAP_TIME_CONSTANTS
        is_cut = mean_difference(before.thumbnail, thumbnail) > _CUT_GREY_LEVELS
        return 1.0 if is_gap or is_cut or size != before.size else 1 - math.exp(-time_constants)


@dataclass(frozen=True, eq=False)
class _State:
    """What is known of the frames so far."""

    at_s: float
    size: tuple[int, int]
    thumbnail: Grey
    average: NDArray[np.float32]


def open_smoother(segmenter: Segmenter, time_constant_s: float, clock: FrameClock) -> ScoreSmoother:
    """Make a smoother for a model.

    Raises:
        ModelError: the model gives class ids, which have no average.
    """
    if not segmenter.gives_scores:
        raise ModelError(
            f"the answer of '{segmenter.name}' is class ids, which cannot be smoothed; take a model that gives "
            "scores, as  edge-seg convert  makes them by default"
        )
    return ScoreSmoother(time_constant_s, clock)


def mean_difference(first: Grey, second: Grey) -> float:
    """Return the mean absolute difference of two thumbnails, in grey levels."""
    return cv2.norm(first, second, cv2.NORM_L1) / first.size


def _thumbnail(image: RgbImage) -> Grey:
    return np.asarray(cv2.cvtColor(shrink_image(image, *_THUMBNAIL), cv2.COLOR_RGB2GRAY), np.uint8)


def _as_dtype(average: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    return average if dtype == np.float32 else np.rint(average).astype(dtype)
