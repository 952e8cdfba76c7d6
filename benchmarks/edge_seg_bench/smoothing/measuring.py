"""Runs models over moving pictures, with and without smoothing, and counts."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset import Dataset, Sample
from edge_seg.evaluate import check_same_classes
from edge_seg.images import ClassMap
from edge_seg.metrics import ConfusionMatrix, confusion_matrix, scores
from edge_seg.segmenter import RawOutput, Segmenter
from edge_seg.smoothing import ScoreSmoother, open_smoother
from edge_seg.sources import Frame
from edge_seg_bench.smoothing.moving_picture import MOTIONS, TrueFrame, moving_picture, passed_by
from edge_seg_bench.smoothing.result import MotionResult, Scene, Video, Viewing

FRAME_SIZE = (480, 640)
PASSING = "on a wall, something passes"
_WIDTHS_PER_S = 0.15


@dataclass(frozen=True)
class Way:
    """A way to look: 0.0 seconds is without smoothing, `everywhere` a plain moving average."""

    time_constant_s: float
    everywhere: bool = False


class PlainSmoother:
    """The moving average alone, to see what looking for motion is worth."""

    def __init__(self, time_constant_s: float) -> None:
        self._time_constant_s = time_constant_s
        self._average: NDArray[np.float32] | None = None
        self._last_s = 0.0

    def smooth(self, frame: Frame, raw: RawOutput) -> RawOutput:
        """Return the average of this output and those before it, in its own dtype."""
        weight = 1 - math.exp((self._last_s - _taken_at(frame)) / self._time_constant_s)
        before = raw.tensor.astype(np.float32) if self._average is None else self._average
        self._average = np.asarray(before + np.float32(weight) * (raw.tensor - before), np.float32)
        self._last_s = _taken_at(frame)
        is_float = raw.tensor.dtype == np.float32
        return replace(raw, tensor=self._average if is_float else np.rint(self._average).astype(raw.tensor.dtype))


@dataclass
class _Tally:
    """What is counted of one way of smoothing, over all pictures."""

    matrix: ConfusionMatrix
    flickering: list[float] = field(default_factory=list[float])
    cost_ms: list[float] = field(default_factory=list[float])


def measure_model(
    model: Path, folder: Path, ways: Sequence[Way], video: Video, announce: Callable[[str], None]
) -> Scene:
    """Measure one model on the validation pictures of a data set, in every motion.

    Raises:
        ModelError: the model cannot be run, gives no scores, or knows other classes.
        DatasetError: the data set cannot be read.
    """
    segmenter, dataset = Segmenter.load(model), Dataset.open(folder)
    check_same_classes(segmenter, dataset)
    motions = [_measure_motion(segmenter, dataset, name, ways, video, announce) for name in (*MOTIONS, PASSING)]
    return Scene(model=segmenter.name, data=dataset.manifest.name, motions=tuple(motions))


def _measure_motion(
    segmenter: Segmenter,
    dataset: Dataset,
    motion: str,
    ways: Sequence[Way],
    video: Video,
    announce: Callable[[str], None],
) -> MotionResult:
    classes = len(segmenter.classes)
    tallies = {way: _Tally(np.zeros((classes, classes), np.int64)) for way in (Way(0.0), *ways)}
    pictures = dataset.samples("val")[: video.pictures]
    announce(f"{segmenter.name}, {motion}: {len(pictures)} pictures")
    for number in range(len(pictures)):
        frames = _frames(segmenter, dataset, pictures, number, motion, video)
        _watch(segmenter, frames, tallies, dataset.ignore_id)
    viewings = tuple(_viewing(way, tally) for way, tally in tallies.items())
    return MotionResult(name=motion, viewings=viewings)


def _frames(
    segmenter: Segmenter, dataset: Dataset, pictures: Sequence[Sample], number: int, motion: str, video: Video
) -> Iterator[TrueFrame]:
    """Yield the frames of one picture; what passes by is the next picture's."""
    kind = MOTIONS["on a wall" if motion == PASSING else motion]
    frames = moving_picture(
        *dataset.read(pictures[number]), kind, frames=video.frames, fps=video.fps, size=FRAME_SIZE, seed=number
    )
    if motion != PASSING:
        return frames
    background = next((item.id for item in segmenter.classes if item.is_background), 0)
    other = dataset.read(pictures[(number + 1) % len(pictures)])
    return passed_by(frames, *other, background, widths_per_s=_WIDTHS_PER_S)


def _watch(segmenter: Segmenter, frames: Iterator[TrueFrame], tallies: dict[Way, _Tally], ignore_id: int) -> None:
    """Run one moving picture through the model once, and through every smoother."""
    smoothers = {way: _smoother(segmenter, way) for way in tallies if way.time_constant_s}
    seen: dict[Way, list[ClassMap]] = {way: [] for way in tallies}
    truths: list[ClassMap] = []
    for index, true in enumerate(frames):
        raw = segmenter.infer(segmenter.prepare(true.image))
        frame = Frame(true.image, index, 0.0, "", true.at_s)
        truths.append(true.truth)
        for way, tally in tallies.items():
            class_map = segmenter.finish(_smoothed(smoothers.get(way), frame, raw, tally)).class_map
            seen[way].append(class_map)
            tally.matrix += confusion_matrix(true.truth, class_map, len(segmenter.classes), ignore_id)
    for way, tally in tallies.items():
        tally.flickering += flickering(truths, seen[way])


def _smoother(segmenter: Segmenter, way: Way) -> ScoreSmoother | PlainSmoother:
    if way.everywhere:
        return PlainSmoother(way.time_constant_s)
    return open_smoother(segmenter, way.time_constant_s, _taken_at)


def _smoothed(smoother: ScoreSmoother | PlainSmoother | None, frame: Frame, raw: RawOutput, tally: _Tally) -> RawOutput:
    if smoother is None:
        return raw
    started = time.perf_counter()
    smoothed = smoother.smooth(frame, raw)
    tally.cost_ms.append((time.perf_counter() - started) * 1000)
    return smoothed


def flickering(truths: Sequence[ClassMap], seen: Sequence[ClassMap]) -> list[float]:
    """Return for each frame but the first the share of pixels that changed their class though the truth did not."""
    shares: list[float] = []
    for (true_before, true_now), (before, now) in zip(pairwise(truths), pairwise(seen), strict=True):
        steady = true_before == true_now
        shares.append(np.count_nonzero((before != now) & steady) / max(np.count_nonzero(steady), 1))
    return shares


def _viewing(way: Way, tally: _Tally) -> Viewing:
    return Viewing(
        time_constant_s=way.time_constant_s,
        everywhere=way.everywhere,
        flicker=float(np.mean(tally.flickering)),
        miou=scores(tally.matrix).miou,
        cost_ms=median(tally.cost_ms) if tally.cost_ms else None,
    )


def _taken_at(frame: Frame) -> float:
    return frame.captured_monotonic_s
