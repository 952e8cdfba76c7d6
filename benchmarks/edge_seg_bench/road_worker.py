"""The whole road of one model in one process, `python -m edge_seg_bench.road_worker`: see road_messages.py.

Every step is the call that `edge-seg run FOLDER --out overlays/` makes.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path
from time import perf_counter

from edge_seg.images import read_image
from edge_seg.result import Result
from edge_seg.runtimes import Engine, load_engine
from edge_seg.segmenter import Segmenter
from edge_seg.sinks import overlay_painter
from edge_seg.sinks.folders import write_jpeg
from edge_seg.sources import Frame
from edge_seg_bench.answering import Answer, answer_lines, answer_stdin
from edge_seg_bench.inputs import random_input
from edge_seg_bench.messages import Block, BlockDone
from edge_seg_bench.road_messages import ROAD_REQUESTS, STAGES, OpenRoad, RoadBlock, RoadDone, RoadOpened
from edge_seg_bench.serving import measure_block

_DECIMALS = 5


class Road:
    """From picture files to overlay files, one picture a walk."""

    def __init__(self, segmenter: Segmenter, bare: Engine, pictures: Sequence[Path], overlays: Path) -> None:
        """Begin with the first picture; `bare` is an engine of the same model, with its input set."""
        self._segmenter, self._paint = segmenter, overlay_painter(segmenter.classes)
        self._pictures: Iterator[tuple[int, Path]] = cycle(enumerate(pictures))
        self._overlays = overlays
        self._walks_ms: list[tuple[float, ...]] = []
        self.invoke = bare.invoke

    def walk(self) -> None:
        """Take the next picture from its file to its overlay's file, and remember what each stage took."""
        index, path = next(self._pictures)
        begun = perf_counter()
        image = read_image(path)
        decoded = perf_counter()
        segmentation = self._segmenter.segment(image)
        segmented = perf_counter()
        overlay = self._paint(Result(Frame(image, index, time.time(), path.name), segmentation))
        drawn = perf_counter()
        write_jpeg(self._overlays / f"{path.stem}.jpg", overlay)
        (decode, _, draw, write) = _gaps_ms(begun, decoded, segmented, drawn, perf_counter())
        network = (segmentation.preprocess_ms, segmentation.invoke_ms, segmentation.postprocess_ms)
        self._walks_ms.append((decode, *network, draw, write))

    def measure(self, block: Block) -> RoadDone:
        """Walk as `block` says."""
        self._walks_ms.clear()
        whole_ms = measure_block(self.walk, block)
        measured = self._walks_ms[-len(whole_ms) :]
        columns = ([round(value, _DECIMALS) for value in column] for column in zip(*measured, strict=True))
        return RoadDone(dict(zip(STAGES, columns, strict=True)), [round(value, _DECIMALS) for value in whole_ms])


def _gaps_ms(*moments_s: float) -> list[float]:
    return [(later - earlier) * 1e3 for earlier, later in pairwise(moments_s)]


def _begin(request: OpenRoad) -> tuple[Road, Answer]:
    model = Path(request.model)
    segmenter = Segmenter.load(model, runtime=request.runtime, threads=request.threads)
    bare = load_engine(model, runtime=request.runtime, threads=request.threads)
    bare.set_input(random_input(bare.inputs[0]))
    road = Road(segmenter, bare, [Path(picture) for picture in request.pictures], Path(request.overlays))
    (first_ms,) = road.measure(Block(runs=1, seconds=0, limit_s=0, discard=0)).whole_ms
    return road, asdict(RoadOpened(first_ms))


def _answer(road: Road, request: Block) -> Answer:
    if isinstance(request, RoadBlock):
        return asdict(road.measure(request))
    return asdict(BlockDone([round(value, _DECIMALS) for value in measure_block(road.invoke, request)]))


if __name__ == "__main__":
    answer_stdin(partial(answer_lines, kinds=ROAD_REQUESTS, begin=_begin, answer=_answer))
