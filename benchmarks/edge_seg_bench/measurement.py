"""Measuring several models side by side: one process each, blocks of runs in turn, round after round.

A machine drifts (heat, clock, other programs). Measured one after the other, the last model gets the drift;
measured in shuffled turns, all get the same share.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path

import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg_bench.conditions import Watch
from edge_seg_bench.messages import Block, BlockDone, Finish, Finished, Load, Loaded
from edge_seg_bench.results import Conditions, Sampling
from edge_seg_bench.statistics import is_stable
from edge_seg_bench.worker_process import TFLITE_WORKER, WorkerProcess

_ANSWER_TIMEOUT_S = 300.0
_WARMUP_WINDOW_RUNS = 5
_WARMUP_WINDOW_S = 0.05
_DISCARD_BELOW_MS = 100.0


def thread_words(threads: int) -> str:
    """Return "1 thread" or e.g. "2 threads"."""
    return "1 thread" if threads == 1 else f"{threads} threads"


OnProgress = Callable[[str], None]
"""Called with a model's name after each step, steps_of(...) times when no model is slow."""


@dataclass(frozen=True)
class Candidate:
    """A model in a runtime at a number of threads, and the module of the worker that runs it there."""

    model: Path
    runtime: str
    threads: int = 1
    worker: str = TFLITE_WORKER

    @property
    def words(self) -> str:
        """What it is called while it is measured."""
        return f"{self.model.name}, {self.runtime}, {thread_words(self.threads)}"


@dataclass
class ModelRun:
    """What is known of one candidate so far."""

    candidate: Candidate
    worker: WorkerProcess
    loaded: Loaded | None = None
    warmup_runs: int = 0
    blocks_ms: list[list[float]] = field(default_factory=list[list[float]])
    before: Conditions | None = None
    after: Conditions | None = None
    throttled_blocks: int = 0
    energies_mj: list[float] = field(default_factory=list[float])
    """Per inference, one a block; empty where the board has no meter."""
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


def measure_candidates(
    candidates: Sequence[Candidate],
    settings: Sampling,
    on_progress: OnProgress = lambda _name: None,
    *,
    start_worker: Callable[[str], WorkerProcess] = WorkerProcess,
    watch: Watch | None = None,
) -> list[ModelRun]:
    """Measure candidates side by side; one that fails carries its error and does not stop the others.

    `watch` reads the board between blocks; None takes this machine's.
    """
    watch = watch or Watch()
    with ExitStack() as stack:
        runs: list[ModelRun] = []
        for candidate in candidates:  # loaded before the next worker starts, which would disturb it
            worker = stack.enter_context(start_worker(candidate.worker))
            runs.append(ModelRun(candidate, worker))
            _each(runs[-1:], _load, settings, on_progress)
        _each(runs, _warm_up, settings, on_progress)
        turns = random.Random(settings.seed)
        while due := [run for run in runs if run.wants_more(settings)]:
            turns.shuffle(due)
            _each(due, partial(_measure_block, watch=watch), settings, on_progress)
        _each(runs, _finish, settings, on_progress)
    return runs


def steps_of(candidates: Sequence[Candidate], settings: Sampling) -> int:
    """Return the number of progress steps of a measurement in which no model is slow."""
    return len(candidates) * (settings.rounds + 3)


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
        on_progress(run.candidate.words)


def _load(run: ModelRun, settings: Sampling) -> None:
    request = Load(str(run.candidate.model), run.candidate.runtime, run.candidate.threads)
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


def _measure_block(run: ModelRun, settings: Sampling, *, watch: Watch) -> None:
    assert run.loaded is not None
    block = Block(
        runs=ceil(settings.runs / settings.rounds),
        seconds=settings.seconds / settings.rounds,
        limit_s=settings.limit_seconds / settings.rounds,
        discard=1 if run.loaded.first_inference_ms < _DISCARD_BELOW_MS else 0,
    )
    with watch.block() as seen:
        latencies_ms = run.worker.ask(block, BlockDone, timeout_s=_ANSWER_TIMEOUT_S).latencies_ms
    run.blocks_ms.append(latencies_ms)
    run.before, run.after = run.before or seen.before, seen.after
    run.throttled_blocks += seen.throttled
    if seen.energy_j is not None:
        run.energies_mj.append(seen.energy_j * 1e3 / len(latencies_ms))


def _finish(run: ModelRun, settings: Sampling) -> None:
    run.finished = run.worker.ask(Finish(), Finished, timeout_s=_ANSWER_TIMEOUT_S)
    if run.runs < settings.runs:
        run.notes.append(
            f"stopped at the limit of {settings.limit_seconds:g} s, after {run.runs} of {settings.runs} runs"
        )
