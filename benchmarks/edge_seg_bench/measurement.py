"""Measuring several models side by side: one process each, blocks of runs in turn, round after round.

A machine drifts (heat, clock, other programs). Measured one after the other, the last model gets the drift;
measured in shuffled turns, all get the same share. The workers that wait take no processor time, but their memory:
all of them must fit side by side.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from typing import TypeVar

import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg_bench.conditions import Watch
from edge_seg_bench.memory import peak_rss_bytes
from edge_seg_bench.messages import Block, BlockDone, Finish, Finished, Load, Loaded, Reply, Request
from edge_seg_bench.results import Conditions, Sampling
from edge_seg_bench.statistics import is_stable
from edge_seg_bench.turns import OnStep, take_turns
from edge_seg_bench.wording import thread_words
from edge_seg_bench.worker_process import PATIENCE_S, TFLITE_WORKER, THIS_PYTHON, Interpreter, WorkerProcess

_MEMORY_MARGIN = 1.2
_WARMUP_WINDOW_RUNS = 5
_WARMUP_WINDOW_S = 0.05
_DISCARD_BELOW_MS = 100.0

R = TypeVar("R", bound=Reply)
B = TypeVar("B", bound=Block)


@dataclass(frozen=True)
class Candidate:
    """A model in a runtime at a number of threads, the module of the worker that runs it there, and its Python."""

    model: Path
    runtime: str
    threads: int = 1
    worker: str = TFLITE_WORKER
    interpreter: Interpreter = THIS_PYTHON

    @property
    def words(self) -> str:
        """What it is called while it is measured."""
        return f"{self.model.name}, {self.runtime}, {thread_words(self.threads)}"

    def start_worker(self) -> WorkerProcess:
        """Start the process that it is measured in."""
        return WorkerProcess(self.worker, self.interpreter)


@dataclass
class ModelRun:
    """What is known of one candidate so far."""

    candidate: Candidate
    worker: WorkerProcess
    patience_s: float = PATIENCE_S
    loaded: Loaded | None = None
    loaded_bytes: int = 0
    """Peak resident memory once the model had run."""
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

    def ask(self, request: Request, answer: type[R]) -> R:
        """Ask the worker; a block's own limit comes on top of the patience."""
        limit_s = request.limit_s if isinstance(request, Block) else 0.0
        return self.worker.ask(request, answer, timeout_s=limit_s + self.patience_s)

    def wants_more(self, settings: Sampling) -> bool:
        """Tell whether another block is due."""
        if self.error is not None or self.measured_s >= settings.limit_seconds:
            return False
        return len(self.blocks_ms) < settings.rounds or self.runs < settings.runs


def measure_candidates(
    candidates: Sequence[Candidate],
    settings: Sampling,
    on_progress: OnStep = lambda _name: None,
    *,
    start_worker: Callable[[Candidate], WorkerProcess] = Candidate.start_worker,
    watch: Watch | None = None,
    patience_s: float = PATIENCE_S,
) -> list[ModelRun]:
    """Measure candidates side by side; one that fails carries its error and does not stop the others.

    `watch` reads the board around blocks; None takes this machine's. A worker that answers later than it was told to,
    by more than `patience_s` seconds, is ended.

    Raises:
        BenchmarkError: the workers do not fit into memory side by side.
    """
    watch = watch or Watch()
    with ExitStack() as stack:
        runs: list[ModelRun] = []

        def each(due: Sequence[ModelRun], step: Callable[[ModelRun], None]) -> None:
            take_turns(due, step, lambda run: on_progress(run.candidate.words))

        for candidate in candidates:  # loaded before the next worker starts, which would disturb it
            check_memory(watch.available_bytes(), runs, len(candidates))
            worker = stack.enter_context(start_worker(candidate))
            runs.append(ModelRun(candidate, worker, patience_s))
            each(runs[-1:], _load)
        each(runs, partial(_warm_up, settings=settings))
        turns = random.Random(settings.seed)
        while due := [run for run in runs if run.wants_more(settings)]:
            turns.shuffle(due)
            each(due, partial(_measure_block, settings=settings, watch=watch))
        each(runs, partial(_finish, settings=settings))
    return runs


def steps_of(candidates: int, settings: Sampling) -> int:
    """Return the number of progress steps of a measurement of so many, in which no model is slow."""
    return candidates * (settings.rounds + 3)


def check_memory(available_bytes: int | None, runs: Sequence[ModelRun], wanted: int) -> None:
    """Refuse to start one worker more where it would push out those that wait: swapping is not measuring.

    Raises:
        BenchmarkError: the memory that is left is less than the biggest of `runs` took, and a fifth.
    """
    peaks = [run.loaded_bytes for run in runs if run.error is None]
    if available_bytes is None or not peaks or available_bytes >= max(peaks) * _MEMORY_MARGIN:
        return
    raise BenchmarkError(
        f"{wanted} rows do not fit into memory side by side: {len(peaks)} of them leave "
        f"{available_bytes / 1e6:.0f} MB, and one takes up to {max(peaks) / 1e6:.0f} MB; "
        "give fewer models, --runtime or --threads at a time"
    )


def block_of_round(kind: type[B], settings: Sampling, first_ms: float, limit_s: float) -> B:
    """Return one round's share of the runs, the seconds and the limit of all rounds.

    The first run after a wait is left out, except of a model whose first one took so long that it counts.
    """
    return kind(
        runs=ceil(settings.runs / settings.rounds),
        seconds=settings.seconds / settings.rounds,
        limit_s=limit_s / settings.rounds,
        discard=1 if first_ms < _DISCARD_BELOW_MS else 0,
    )


def _load(run: ModelRun) -> None:
    request = Load(str(run.candidate.model), run.candidate.runtime, run.candidate.threads)
    run.loaded = run.ask(request, Loaded)
    run.loaded_bytes = peak_rss_bytes(run.worker.pid)


def _warm_up(run: ModelRun, *, settings: Sampling) -> None:
    """Run windows until three medians agree or the time is up; the first inference counts as one run."""
    assert run.loaded is not None
    spent_s, medians = run.loaded.first_inference_ms / 1e3, list[float]()
    run.warmup_runs = 1
    while spent_s < settings.warmup_seconds and not is_stable(medians):
        block = Block(_WARMUP_WINDOW_RUNS, _WARMUP_WINDOW_S, settings.warmup_seconds - spent_s, discard=0)
        window_ms = run.ask(block, BlockDone).latencies_ms
        spent_s += sum(window_ms) / 1e3
        run.warmup_runs += len(window_ms)
        medians.append(float(np.median(window_ms)))
    if not is_stable(medians):
        run.notes.append(f"not stable after {settings.warmup_seconds:g} s of warm-up; --warmup gives it longer")


def _measure_block(run: ModelRun, *, settings: Sampling, watch: Watch) -> None:
    assert run.loaded is not None
    block = block_of_round(Block, settings, run.loaded.first_inference_ms, settings.limit_seconds)
    with watch.block() as seen:
        latencies_ms = run.ask(block, BlockDone).latencies_ms
    run.blocks_ms.append(latencies_ms)
    run.before, run.after = run.before or seen.before, seen.after
    run.throttled_blocks += seen.throttled
    if seen.energy_j is not None:
        run.energies_mj.append(seen.energy_j * 1e3 / (block.discard + len(latencies_ms)))


def _finish(run: ModelRun, *, settings: Sampling) -> None:
    run.finished = run.ask(Finish(), Finished)
    if run.runs < settings.runs:
        run.notes.append(
            f"stopped at the limit of {settings.limit_seconds:g} s, after {run.runs} of {settings.runs} runs"
        )
