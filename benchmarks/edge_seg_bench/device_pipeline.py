"""How much slower than the bare model the whole pipeline is: frames in, JSON lines, a live page or a video out.

The pipeline's wall time per frame is divided by the wall time per bare invoke() of blocks run just before and
just after it, so that a ratio sees one state of the machine.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import BenchmarkError
from edge_seg.pipeline import run_pipeline
from edge_seg.runtimes import load_engine
from edge_seg.segmenter import Segmenter
from edge_seg.sinks import Sink, open_sink
from edge_seg.sources import open_source
from edge_seg.web.address import Address
from edge_seg.web.live_page import ObservedPage
from edge_seg_bench.inputs import random_input
from edge_seg_bench.web_viewer import web_viewer

FRAME_WIDTH, FRAME_HEIGHT = 640, 480
_FRAMES_PER_SECOND = 30
_SPRITES = 6

OpenSinks = Callable[[Segmenter, Path], AbstractContextManager[list[Sink]]]
"""Opens the outputs of a pipeline, in a folder of their own, for as long as it runs."""


@dataclass(frozen=True)
class OverheadRatios:
    """Pipeline seconds per frame over bare invoke() seconds, one ratio a round for each kind, and the bare median."""

    ratios: Mapping[str, tuple[float, ...]]
    bare_ms: float


@contextmanager
def json_lines(segmenter: Segmenter, folder: Path) -> Generator[list[Sink]]:
    """Area shares to JSON lines."""
    yield [open_sink(str(folder / "out.jsonl"), segmenter.classes)]


@contextmanager
def overlay_page(segmenter: Segmenter, folder: Path) -> Generator[list[Sink]]:
    """JSON lines, and the live page with one viewer of the overlay, who is a process of its own."""
    page = ObservedPage(Address("127.0.0.1", 0), segmenter.classes)
    with json_lines(segmenter, folder) as lines, web_viewer(page.url):
        yield [*lines, page]


@contextmanager
def overlay_video(segmenter: Segmenter, folder: Path) -> Generator[list[Sink]]:
    """A video of the overlays."""
    yield [open_sink(str(folder / "out.mp4"), segmenter.classes)]


def measure_overhead(
    model: Path, folder: Path, kinds: Mapping[str, OpenSinks], *, frames: int, rounds: int
) -> OverheadRatios:
    """Alternate bare blocks and pipelines of each kind; one thread of inference.

    Args:
        model: the .tflite file.
        folder: where the video is generated and the outputs are written.
        kinds: the pipelines' outputs.
        frames: frames of the video, and invocations of a bare block.
        rounds: ratios of each kind.

    Raises:
        BenchmarkError: this OpenCV cannot write video, or a pipeline lost frames.
    """
    clip = folder / "clip.mp4"
    write_video(clip, frames)
    segmenter, invoke = Segmenter.load(model, threads=1), _bare_invoke(model)
    _bare_seconds(invoke, min(frames, 50))
    bare_s, pipeline_s = [_bare_seconds(invoke, frames)], list[float]()
    for _ in range(rounds):
        for open_sinks in kinds.values():
            pipeline_s.append(_pipeline_seconds(clip, segmenter, open_sinks, folder, frames))
            bare_s.append(_bare_seconds(invoke, frames))
    ratios = bracketed_ratios(pipeline_s, bare_s)
    of_kinds = {kind: tuple(ratios[index :: len(kinds)]) for index, kind in enumerate(kinds)}
    return OverheadRatios(of_kinds, float(np.median(bare_s)) * 1e3)


def bracketed_ratios(between: Sequence[float], around: Sequence[float]) -> list[float]:
    """Divide each value by the mean of its two neighbours: between[i] / mean(around[i], around[i + 1])."""
    return [value / ((before + after) / 2) for value, (before, after) in zip(between, pairwise(around), strict=True)]


def write_video(path: Path, frames: int) -> None:
    """Write a 640×480 video of discs moving over a textured background, the same every time.

    Raises:
        BenchmarkError: this OpenCV has no MPEG-4 encoder.
    """
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*"mp4v"), _FRAMES_PER_SECOND, (FRAME_WIDTH, FRAME_HEIGHT)
    )
    try:
        if not writer.isOpened():
            raise BenchmarkError(f"{path}: this OpenCV cannot write MPEG-4 video; install opencv-python-headless")
        background = _background()
        for index in range(frames):
            writer.write(_frame(background, index))
    finally:
        writer.release()


def write_photo(path: Path) -> None:
    """Write one 640×480 JPEG of the same content.

    Raises:
        BenchmarkError: it cannot be written.
    """
    if not cv2.imwrite(str(path), _frame(_background(), 0)):
        raise BenchmarkError(f"{path}: OpenCV cannot write it; check the folder's rights")


def _background() -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(60, 200, (FRAME_HEIGHT // 16, FRAME_WIDTH // 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _frame(background: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    frame = background.copy()
    for sprite in range(_SPRITES):
        x = (index * (2 + sprite) + 97 * sprite) % FRAME_WIDTH
        y = (index * (3 + sprite) // 2 + 71 * sprite) % FRAME_HEIGHT
        cv2.circle(frame, (x, y), 24 + 9 * sprite, (40 * sprite, 255 - 40 * sprite, 128), thickness=-1)
    return frame


def _bare_invoke(model: Path) -> Callable[[], None]:
    engine = load_engine(model, threads=1)
    engine.set_input(random_input(engine.inputs[0]))
    return engine.invoke


def _bare_seconds(invoke: Callable[[], None], runs: int) -> float:
    """Return seconds per invocation."""
    start = perf_counter()
    for _ in range(runs):
        invoke()
    return (perf_counter() - start) / runs


def _pipeline_seconds(clip: Path, segmenter: Segmenter, open_sinks: OpenSinks, folder: Path, frames: int) -> float:
    """Return seconds per frame, opening of the source and closing of everything included."""
    with open_sinks(segmenter, folder) as sinks:
        start = perf_counter()
        summary = run_pipeline(open_source(str(clip)), segmenter, sinks)
        seconds = perf_counter() - start
    if summary.frames != frames:
        raise BenchmarkError(f"{clip}: {summary.frames} of {frames} frames came through; the ratio is void")
    return seconds / frames
