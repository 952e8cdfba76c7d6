"""Measuring several models side by side: one process each, blocks of runs in turn, round after round.

A machine drifts (heat, clock, other programs). Measured one after the other, the last model gets the drift;
measured in shuffled turns, all get the same share.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg_bench.messages import Block, BlockDone, Finish, Finished, Load, Loaded
from edge_seg_bench.results import Sampling, Settings
from edge_seg_bench.statistics import is_stable
from edge_seg_bench.worker_process import TFLITE_WORKER, WorkerProcess

_ANSWER_TIMEOUT_S = 300.0
_WARMUP_WINDOW_RUNS = 5
_WARMUP_WINDOW_S = 0.05
_DISCARD_BELOW_MS = 100.0

OnProgress = Callable[[str], None]
"""Called with a model's name after each step, steps_of(...) times when no model is slow."""


@dataclass(frozen=True)
class Candidate:
    """A model in a runtime, and the module of the worker that runs it there."""

    model: Path
    runtime: str
    worker: str = TFLITE_WORKER


@dataclass
class ModelRun:
    """What is known of one model so far."""

    model: Path
    runtime: str
    worker: WorkerProcess
    loaded: Loaded | None = None
    warmup_runs: int = 0
    blocks_ms: list[list[float]] = field(default_factory=list[list[float]])
    notes: list[str] = field(default_factory=list[str])
    finished: Finished | None = None
    error: str | None = None

    @property
    def runs(self) -> int:
        """Measured invocations."""
        return sum(len(block) for block in self.blocks_ms)

    @property
    def measured_s(self) -> float:
        """Seconds spent in measured invocations."""
        return sum(sum(block) for block in self.blocks_ms) / 1e3

    def wants_more(self, settings: Sampling) -> bool:
        """Tell whether another block is due."""
        if self.error is not None or self.measured_s >= settings.limit_seconds:
            return False
        return len(self.blocks_ms) < settings.rounds or self.runs < settings.runs


def measure_models(
    models: Sequence[Path],
    settings: Settings,
    on_progress: OnProgress = lambda _name: None,
    *,
    start_worker: Callable[[], WorkerProcess] = WorkerProcess,
) -> list[ModelRun]:
    """Measure models in the runtime of `settings`; one that fails carries its error and does not stop the others."""
    candidates = [Candidate(model, settings.runtime) for model in models]
    return measure_candidates(candidates, settings, on_progress, start_worker=lambda _module: start_worker())


def measure_candidates(
    candidates: Sequence[Candidate],
    settings: Sampling,
    on_progress: OnProgress = lambda _name: None,
    *,
    start_worker: Callable[[str], WorkerProcess] = WorkerProcess,
) -> list[ModelRun]:
    """Measure models in runtimes of their own; one that fails carries its error and does not stop the others."""
    with ExitStack() as stack:
        runs: list[ModelRun] = []
        for candidate in candidates:  # loaded before the next worker starts, which would disturb it
            worker = stack.enter_context(start_worker(candidate.worker))
            runs.append(ModelRun(candidate.model, candidate.runtime, worker))
            _each(runs[-1:], _load, settings, on_progress)
        _each(runs, _warm_up, settings, on_progress)
        turns = random.Random(settings.seed)
        while due := [run for run in runs if run.wants_more(settings)]:
            turns.shuffle(due)
            _each(due, _measure_block, settings, on_progress)
        _each(runs, _finish, settings, on_progress)
    return runs


def steps_of(models: Sequence[Path | Candidate], settings: Sampling) -> int:
    """Return the number of progress steps of a measurement in which no model is slow."""
    return len(models) * (settings.rounds + 3)


def _each(
    runs: Iterable[ModelRun],
    step: Callable[[ModelRun, Sampling], None],
    settings: Sampling,
    on_progress: OnProgress,
) -> None:
    for run in runs:
        if run.error is None:
            try:
                step(run, settings)
            except BenchmarkError as error:
                run.error = str(error)
                run.worker.kill()
        on_progress(run.model.name)


def _load(run: ModelRun, settings: Sampling) -> None:
    request = Load(str(run.model), run.runtime, settings.threads)
    run.loaded = run.worker.ask(request, Loaded, timeout_s=_ANSWER_TIMEOUT_S)


def _warm_up(run: ModelRun, settings: Sampling) -> None:
    """Run windows until three medians agree or the time is up; the first inference counts as one run."""
    assert run.loaded is not None
    spent_s, medians = run.loaded.first_inference_ms / 1e3, list[float]()
    run.warmup_runs = 1
    while spent_s < settings.warmup_seconds and not is_stable(medians):
        block = Block(_WARMUP_WINDOW_RUNS, _WARMUP_WINDOW_S, settings.warmup_seconds - spent_s, discard=0)
        window_ms = run.worker.ask(block, BlockDone, timeout_s=_ANSWER_TIMEOUT_S).latencies_ms
        spent_s += sum(window_ms) / 1e3
        run.warmup_runs += len(window_ms)
        medians.append(float(np.median(window_ms)))
    if not is_stable(medians):
        run.notes.append(
            f"not stable after {run.warmup_runs} warm-up runs in {spent_s:.1f} s; --warmup gives it longer"
        )


def _measure_block(run: ModelRun, settings: Sampling) -> None:
    assert run.loaded is not None
    block = Block(
        runs=ceil(settings.runs / settings.rounds),
        seconds=settings.seconds / settings.rounds,
        limit_s=settings.limit_seconds / settings.rounds,
        discard=1 if run.loaded.first_inference_ms < _DISCARD_BELOW_MS else 0,
    )
    run.blocks_ms.append(run.worker.ask(block, BlockDone, timeout_s=_ANSWER_TIMEOUT_S).latencies_ms)


def _finish(run: ModelRun, settings: Sampling) -> None:
    run.finished = run.worker.ask(Finish(), Finished, timeout_s=_ANSWER_TIMEOUT_S)
    if run.runs < settings.runs:
        run.notes.append(
            f"stopped at the limit of {settings.limit_seconds:g} s, after {run.runs} of {settings.runs} runs"
        )
