"""Calming a live answer: the scores averaged over time, at network resolution, where the picture stands still.

An exponential moving average whose weight follows from the time since the last frame, 1 − exp(−Δt / τ)
(Eckner 2012, "Algorithms for unevenly spaced time series: moving averages and other rolling operators"),
so that dropped frames do not change what the eye sees. Where the picture moved, the new scores stand
alone: the motion-adaptive recursive filter of video noise reduction (Dubois & Sabri 1984). Without
that, an object that walks drags its answer behind it: `python -m edge_seg_bench.smoothing`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import ModelError
from edge_seg.images import RgbImage
from edge_seg.model_spec import OutputFormat
from edge_seg.resampling import shrink_image
from edge_seg.segmenter import RawOutput, Segmenter
from edge_seg.sources.frame import Frame
from edge_seg.sources.media_time import FrameClock

STILL_GREY_LEVELS, MOVED_GREY_LEVELS = 5.0, 15.0
"""A change of the picture below the first is noise, one above the second is motion; between them, in part."""

_DIVISOR = 2  # motion is looked for at half the network's resolution
_SAMPLES_PER_SIDE = 2
_BLUR_PX = 1.0
_CUT_SHARE = 0.5
_GAP_TIME_CONSTANTS = 4.0

Reals = NDArray[np.float32]

_RAMP = np.interp(np.arange(256), (STILL_GREY_LEVELS, MOVED_GREY_LEVELS), (0, 1)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _State:
    """What is known of the frames so far.

    Attributes:
        at_s: when the last one was taken.
        size: its (height, width).
        small: [h, w, 3] uint8, the picture where motion is looked for.
        average: [h, w, classes] float32, the scores.
        layout: the model's, whose stored values mean nothing to another.
    """

    at_s: float
    size: tuple[int, int]
    small: RgbImage
    average: Reals
    layout: OutputFormat


class ScoreSmoother:
    """Averages a model's raw output over time; starts anew at a cut, another size, another model and after a gap."""

    def __init__(self, time_constant_s: float, clock: FrameClock) -> None:
        """Average over about `time_constant_s` seconds, counted by `clock`."""
        self._time_constant_s, self._clock = time_constant_s, clock
        self._state: _State | None = None

    def smooth(self, frame: Frame, raw: RawOutput) -> RawOutput:
        """Return the average of this output and those before it, in its own dtype and layout."""
        before, scores = self._state, raw.layout.decode(raw.tensor)
        at_s, small = self._clock(frame), _small(frame.image, scores.shape[:2])
        weights = self._weights(before, at_s, raw, small, scores.shape)
        if before is None or weights is None:
            self._state = _State(at_s, raw.size, small, scores.astype(np.float32), raw.layout)
            return raw
        average = np.subtract(scores, before.average, dtype=np.float32)
        average *= weights
        average += before.average
        self._state = _State(at_s, raw.size, small, average, raw.layout)
        smoothed = np.empty_like(raw.tensor)
        raw.layout.decode(smoothed)[:] = average if smoothed.dtype == np.float32 else np.rint(average)
        return replace(raw, tensor=smoothed)

    def _weights(
        self, before: _State | None, at_s: float, raw: RawOutput, small: RgbImage, shape: Sequence[int]
    ) -> Reals | None:
        """Return what the new scores count, [h, w, classes], 0 to 1; None where nothing before them counts."""
        if before is None or before.layout is not raw.layout or before.size != raw.size:
            return None
        time_constants = (at_s - before.at_s) / self._time_constant_s
        moved = motion(before.small, small)
        if not 0 <= time_constants <= _GAP_TIME_CONSTANTS or moved.mean() > _CUT_SHARE:
            return None
        still = np.asarray(cv2.resize(1 - moved, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
        plane = 1 - still * np.float32(math.exp(-time_constants))
        return np.asarray(cv2.merge([plane] * shape[2]), np.float32).reshape(shape)


def open_smoother(segmenter: Segmenter, time_constant_s: float, clock: FrameClock) -> ScoreSmoother:
    """Make a smoother for a model.

    Raises:
        ModelError: the model gives class ids, which have no average.
    """
    if segmenter.output_format.kind == "classes":
        raise ModelError(
            f"the answer of '{segmenter.name}' is class ids, which cannot be smoothed; take a model that gives "
            "scores, as  edge-seg convert  makes them by default"
        )
    return ScoreSmoother(time_constant_s, clock)


def motion(before: RgbImage, now: RgbImage) -> Reals:
    """Return where a picture changed, [h, w] float32 from 0 (noise) to 1 (motion), for [h, w, 3] uint8 RGB."""
    red, green, blue = cv2.split(cv2.absdiff(before, now))
    change = cv2.GaussianBlur(cv2.max(cv2.max(red, green), blue), (0, 0), _BLUR_PX)
    return np.asarray(cv2.LUT(change, _RAMP), np.float32)


def _small(image: RgbImage, scores_size: Sequence[int]) -> RgbImage:
    """Shrink to half the network's resolution, of some of the pixels: all of a large frame would take long."""
    height, width = (max(1, side // _DIVISOR) for side in scores_size)
    sampled = (width * _SAMPLES_PER_SIDE, height * _SAMPLES_PER_SIDE)
    if sampled[0] < image.shape[1] and sampled[1] < image.shape[0]:
        image = np.asarray(cv2.resize(image, sampled, interpolation=cv2.INTER_NEAREST), np.uint8)
    return shrink_image(image, height, width)
