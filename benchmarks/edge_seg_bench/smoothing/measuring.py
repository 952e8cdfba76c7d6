"""Runs models over moving pictures, with and without smoothing, and counts."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from edge_seg.dataset import Dataset
from edge_seg.evaluate import check_same_classes
from edge_seg.images import ClassMap
from edge_seg.metrics import ConfusionMatrix, confusion_matrix, scores
from edge_seg.segmenter import RawOutput, Segmenter
from edge_seg.smoothing import ScoreSmoother, open_smoother
from edge_seg.sources import Frame
from edge_seg_bench.smoothing.moving_picture import MOTIONS, TrueFrame, moving_picture
from edge_seg_bench.smoothing.result import MotionResult, Scene, Video, Viewing

FRAME_SIZE = (480, 640)


@dataclass
class _Tally:
    """What is counted of one way of smoothing, over all pictures."""

    matrix: ConfusionMatrix
    flickering: list[float] = field(default_factory=list[float])
    cost_ms: list[float] = field(default_factory=list[float])


def measure_model(
    model: Path, folder: Path, time_constants_s: Sequence[float], video: Video, announce: Callable[[str], None]
) -> Scene:
    """Measure one model on the validation pictures of a data set, in every motion.

    Raises:
        ModelError: the model cannot be run, gives no scores, or knows other classes.
        DatasetError: the data set cannot be read.
    """
    segmenter, dataset = Segmenter.load(model), Dataset.open(folder)
    check_same_classes(segmenter, dataset)
    motions = [_measure_motion(segmenter, dataset, name, time_constants_s, video, announce) for name in MOTIONS]
    return Scene(model=segmenter.name, data=dataset.manifest.name, motions=tuple(motions))


def _measure_motion(
    segmenter: Segmenter,
    dataset: Dataset,
    motion: str,
    time_constants_s: Sequence[float],
    video: Video,
    announce: Callable[[str], None],
) -> MotionResult:
    classes = len(segmenter.classes)
    tallies = {constant: _Tally(np.zeros((classes, classes), np.int64)) for constant in (0.0, *time_constants_s)}
    pictures = dataset.samples("val")[: video.pictures]
    announce(f"{segmenter.name}, {motion}: {len(pictures)} pictures")
    for number, sample in enumerate(pictures):
        image, truth = dataset.read(sample)
        frames = moving_picture(
            image, truth, MOTIONS[motion], frames=video.frames, fps=video.fps, size=FRAME_SIZE, seed=number
        )
        _watch(segmenter, frames, tallies, dataset.ignore_id)
    viewings = tuple(_viewing(constant, tally) for constant, tally in tallies.items())
    return MotionResult(name=motion, viewings=viewings)


def _watch(segmenter: Segmenter, frames: Iterator[TrueFrame], tallies: dict[float, _Tally], ignore_id: int) -> None:
    """Run one moving picture through the model once, and through every smoother."""
    smoothers = {constant: open_smoother(segmenter, constant, _taken_at) for constant in tallies if constant}
    seen: dict[float, list[ClassMap]] = {constant: [] for constant in tallies}
    truths: list[ClassMap] = []
    for index, true in enumerate(frames):
        raw = segmenter.infer(segmenter.prepare(true.image))
        frame = Frame(true.image, index, 0.0, "", true.at_s)
        truths.append(true.truth)
        for constant, tally in tallies.items():
            class_map = segmenter.finish(_smoothed(smoothers.get(constant), frame, raw, tally)).class_map
            seen[constant].append(class_map)
            tally.matrix += confusion_matrix(true.truth, class_map, len(segmenter.classes), ignore_id)
    for constant, tally in tallies.items():
        tally.flickering += flickering(truths, seen[constant])


def _smoothed(smoother: ScoreSmoother | None, frame: Frame, raw: RawOutput, tally: _Tally) -> RawOutput:
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


def _viewing(constant_s: float, tally: _Tally) -> Viewing:
    return Viewing(
        time_constant_s=constant_s,
        flicker=float(np.mean(tally.flickering)),
        miou=scores(tally.matrix).miou,
        cost_ms=median(tally.cost_ms) if tally.cost_ms else None,
    )


def _taken_at(frame: Frame) -> float:
    return frame.captured_monotonic_s
