"""Times from a picture file to an overlay file, stage by stage, beside bare inference.

Each model has a process of its own. Blocks of whole roads and of bare inference alternate in each, and the models
take turns round after round, as in measurement.py.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np

from edge_seg.images import decoded_size
from edge_seg_bench.measurement import block_of_round
from edge_seg_bench.messages import Block, BlockDone
from edge_seg_bench.results import Sampling, Stages
from edge_seg_bench.road_messages import STAGES, OpenRoad, RoadBlock, RoadDone, RoadOpened
from edge_seg_bench.statistics import Blocks, LatencySummary, ratio_of_medians, summarise
from edge_seg_bench.turns import OnStep, take_turns
from edge_seg_bench.worker_process import PATIENCE_S, WorkerProcess

ROAD_WORKER = "edge_seg_bench.road_worker"

B = TypeVar("B", bound=Block)
R = TypeVar("R", bound=RoadDone | BlockDone)


@dataclass
class RoadRun:
    """What is known of one model's road so far."""

    model: Path
    worker: WorkerProcess
    error: str | None = None
    first_ms: float = 0.0
    walked: list[RoadDone] = field(default_factory=list[RoadDone])
    """One a round."""
    bare_ms: list[list[float]] = field(default_factory=list[list[float]])
    """Of bare inference, one list a round."""


def measure_stages(
    models: Sequence[Path],
    runtime: str,
    threads: int,
    pictures: Sequence[Path],
    settings: Sampling,
    on_progress: OnStep = lambda _name: None,
    *,
    start_worker: Callable[[str], WorkerProcess] = WorkerProcess,
) -> dict[Path, Stages | str]:
    """Return each model's stage times, or the sentence why there are none.

    Args:
        models: .tflite files; one that is no segmentation model gets a sentence.
        runtime: of all of them.
        threads: CPU threads of each inference.
        pictures: the files that take the road, one after the other, again and again.
        settings: how many runs and seconds the roads get, and bare inference again.
        on_progress: called stage_steps(...) times.
        start_worker: starts a process of the module it is given.

    Raises:
        ImageError: the first picture cannot be decoded.
    """
    width, height = decoded_size(pictures[0]).upright
    with ExitStack() as stack, TemporaryDirectory(prefix="edge-seg-bench-") as folder:
        runs: list[RoadRun] = []

        def each(due: Sequence[RoadRun], step: Callable[[RoadRun], None]) -> None:
            take_turns(due, step, lambda run: on_progress(run.model.name))

        for number, model in enumerate(models):
            opening = OpenRoad(str(model), runtime, threads, [str(path) for path in pictures], f"{folder}/{number}")
            runs.append(RoadRun(model, stack.enter_context(start_worker(ROAD_WORKER))))
            each(runs[-1:], partial(_open, request=opening))
        each(runs, partial(_warm_up, settings=settings))
        turns = random.Random(settings.seed)
        for number in range(settings.rounds):
            each(turns.sample(runs, len(runs)), partial(_measure_round, settings=settings, bare_first=number % 2 == 1))
    shown = {"runtime": runtime, "threads": threads, "pictures": len(pictures), "width": width, "height": height}
    return {run.model: run.error or _stages(run, settings.seed, **shown) for run in runs}


def stage_steps(models: Sequence[Path], settings: Sampling) -> int:
    """Return the number of progress steps of measure_stages."""
    return len(models) * (settings.rounds + 2)


def _open(run: RoadRun, *, request: OpenRoad) -> None:
    run.first_ms = run.worker.ask(request, RoadOpened).first_ms


def _warm_up(run: RoadRun, *, settings: Sampling) -> None:
    seconds = settings.warmup_seconds / 2
    for kind, answer in ((RoadBlock, RoadDone), (Block, BlockDone)):
        warming = kind(runs=0, seconds=seconds, limit_s=seconds, discard=0)
        _ask(run, warming, answer)


def _measure_round(run: RoadRun, *, settings: Sampling, bare_first: bool) -> None:
    """Measure a block of each; which one comes first changes from round to round."""
    steps = (_measure_bare, _measure_road) if bare_first else (_measure_road, _measure_bare)
    for step in steps:
        step(run, settings)


def _measure_road(run: RoadRun, settings: Sampling) -> None:
    run.walked.append(_ask(run, _block(RoadBlock, run, settings), RoadDone))


def _measure_bare(run: RoadRun, settings: Sampling) -> None:
    run.bare_ms.append(_ask(run, _block(Block, run, settings), BlockDone).latencies_ms)


def _block(kind: type[B], run: RoadRun, settings: Sampling) -> B:
    """Return a block of one round; road and bare inference share the limit."""
    return block_of_round(kind, settings, run.first_ms, limit_s=settings.limit_seconds / 2)


def _ask(run: RoadRun, block: Block, answer: type[R]) -> R:
    return run.worker.ask(block, answer, timeout_s=PATIENCE_S + block.limit_s)


def _stages(run: RoadRun, seed: int, **shown: Any) -> Stages:
    whole, bare = _blocks([done.whole_ms for done in run.walked]), _blocks(run.bare_ms)
    return Stages(
        stages={name: _summary(_blocks([done.stages_ms[name] for done in run.walked])) for name in STAGES},
        whole=_summary(whole),
        bare_invoke=_summary(bare),
        over_bare=ratio_of_medians(whole, bare, seed=seed),
        whole_blocks_ms=tuple(tuple(done.whole_ms) for done in run.walked),
        bare_blocks_ms=tuple(tuple(block_ms) for block_ms in run.bare_ms),
        **shown,
    )


def _blocks(blocks_ms: Sequence[Sequence[float]]) -> Blocks:
    return [np.asarray(block_ms, np.float64) for block_ms in blocks_ms]


def _summary(blocks: Blocks) -> LatencySummary:
    return summarise(np.concatenate(blocks))
