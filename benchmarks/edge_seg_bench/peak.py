"""What this machine can do at most, measured, and the share of it that a model reaches: the roofline model.

S. Williams, A. Waterman, D. Patterson, "Roofline: an insightful visual performance model for multicore architectures",
Communications of the ACM 52(4), 2009. The arithmetic roof is the speed of a matrix product in the same runtime
(peak_graphs.py), the other one that of a copy (bandwidth.py).

The bytes of a model are counted at its operations, before any cache. Those of a small model never reach the memory, so
the roof over them is the rate of the caches; how they compare with the memory's rate is told beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg_bench import bandwidth
from edge_seg_bench.measurement import Candidate, ModelRun, measure_candidates, steps_of
from edge_seg_bench.peak_graphs import PRECISIONS, peak_graph
from edge_seg_bench.results import Peak, Sampling, Work
from edge_seg_bench.turns import OnStep
from edge_seg_bench.work import count_work

SAMPLING = Sampling(runs=50, seconds=2.0, warmup_seconds=1.0, limit_seconds=10.0, rounds=10)
_MS_PER_S = 1e3

# A model's precision: that of its arithmetic. Float16 weights are widened at loading; dynamic ones stay int8, and
# XNNPACK quantises what they meet.
_ARITHMETIC = {"float32": "float32", "float16": "float32", "dynamic": "int8", "int8": "int8"}


@dataclass(frozen=True)
class PeakShare:
    """How near a model comes to the roof over it."""

    share: float
    """The least time that the roofs allow, over the time it took: 1 is the peak."""
    bound: Literal["arithmetic", "cache"]
    """The roof that is lower for this model."""
    memory_share: float
    """Its bytes per second, over the memory's: far above 1, the caches served it; near 1, memory may hold it back."""


def share_of_peak(work: Work, latency_ms: float, peak: Peak) -> PeakShare:
    """Return the share of the peak that a model reaches at a latency."""
    latency_s = latency_ms / _MS_PER_S
    moved = moved_bytes(work)
    arithmetic_s, cache_s = work.macs / peak.macs_per_s, moved / peak.cache_bytes_per_s
    return PeakShare(
        share=max(arithmetic_s, cache_s) / latency_s,
        bound="arithmetic" if arithmetic_s >= cache_s else "cache",
        memory_share=moved / peak.bytes_per_s / latency_s,
    )


def moved_bytes(work: Work) -> int:
    """Return the bytes that one inference's operations read and write, before any cache."""
    return work.weight_bytes + work.activation_bytes


def peak_for(peaks: Iterable[Peak], precision: str, threads: int) -> Peak | None:
    """Return the peak for a model's precision and a number of threads; None where none was measured."""
    arithmetic = _ARITHMETIC.get(precision)
    return next((peak for peak in peaks if (peak.precision, peak.threads) == (arithmetic, threads)), None)


def measure_peaks(
    runtime: str,
    threads: Sequence[int],
    on_progress: OnStep = lambda _name: None,
    *,
    sampling: Sampling = SAMPLING,
) -> tuple[Peak, ...]:
    """Measure the peak of each precision at each number of threads: the best block's median, in processes of their own.

    Raises:
        BenchmarkError: the runtime failed on a graph.
        MissingExtraError: the runtime is not installed.
    """
    graphs = {peak_graph(precision): precision for precision in PRECISIONS}
    macs = {graph: count_work(graph, runtime=runtime).macs for graph in graphs}
    candidates = [Candidate(graph, runtime, count) for graph in graphs for count in threads]
    fastest_s = {run.candidate: _best_s(run) for run in measure_candidates(candidates, sampling, on_progress)}
    rates = {count: (bandwidth.memory_bytes_per_s(count), bandwidth.cache_bytes_per_s(count)) for count in threads}
    return tuple(
        Peak(
            precision=graphs[candidate.model],
            threads=candidate.threads,
            macs_per_s=macs[candidate.model] / fastest_s[candidate],
            bytes_per_s=rates[candidate.threads][0],
            cache_bytes_per_s=rates[candidate.threads][1],
        )
        for candidate in candidates
    )


def peak_steps(threads: Sequence[int], sampling: Sampling = SAMPLING) -> int:
    """Return the number of progress steps of measure_peaks."""
    return steps_of(len(PRECISIONS) * len(threads), sampling)


def _best_s(run: ModelRun) -> float:
    if run.error is not None:
        raise BenchmarkError(f"no peak of {run.candidate.words}: {run.error}")
    return min(float(np.median(block)) for block in run.blocks_ms) / _MS_PER_S
