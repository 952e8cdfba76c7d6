"""Where the time of an inference goes: LiteRT's own times of each operation, those inside XNNPACK included.

XNNPACK names its operators in its own words ("Fully Connected (NC, QS8, QC8W) GEMM" is a 1 × 1 convolution) and runs
them in the graph's order; `match_operators` finds the node each belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg_bench.litert_profiler import BUILT_IN, DELEGATED, Event
from edge_seg_bench.profile_messages import Trace, Traced
from edge_seg_bench.results import OperationTime, Profile
from edge_seg_bench.worker_process import WorkerProcess

SHOWN_OPERATIONS = 10
XNNPACK = "XNNPACK"
_WORKER = "edge_seg_bench.profile_worker"
_WARMUP_RUNS, _RUNS = 5, 30
_MS_PER_US = 1e-3
_CUT_OFF_US = 0.5
"""XNNPACK divides nanoseconds by 1000 and drops the rest (xnn_get_elapsed_time in its src/runtime.c). Where every rest
is as likely as another, which nothing here has measured, that is half a microsecond of an operation."""
_NAME_PARTS = 3

# What begins an XNNPACK operator's name: the nodes it can stand for.
_NODES_OF_OPERATOR = {
    "Convolution": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "Fully Connected": ("CONV_2D", "FULLY_CONNECTED"),
    "Deconvolution": ("TRANSPOSE_CONV",),
    "Batch Matrix Multiply": ("BATCH_MATMUL",),
    "Add": ("ADD",),
    "Subtract": ("SUB",),
    "Multiply": ("MUL",),
    "Divide": ("DIV",),
    "Maximum": ("MAXIMUM",),
    "Minimum": ("MINIMUM",),
    "Convert": ("QUANTIZE", "DEQUANTIZE", "CAST"),
    "Copy": ("CONCATENATION", "RESHAPE", "SPLIT"),
    "Constant Pad": ("PAD", "PADV2"),
    "Resize Bilinear": ("RESIZE_BILINEAR",),
    "Max Pooling": ("MAX_POOL_2D",),
    "Average Pooling": ("AVERAGE_POOL_2D", "MEAN"),
    "Global Average Pooling": ("MEAN",),
    "Mean": ("MEAN",),
    "Softmax": ("SOFTMAX",),
    "Sigmoid": ("LOGISTIC",),
    "HardSwish": ("HARD_SWISH",),
    "Clamp": ("RELU", "RELU6"),
    "Slice": ("SLICE", "STRIDED_SLICE"),
    "Transpose": ("TRANSPOSE",),
    "Depth To Space": ("DEPTH_TO_SPACE",),
}
# Nodes that XNNPACK may fold into their neighbours, so that no operator is left of them.
_FOLDED = {"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "RELU", "RELU6", "PAD", "DEQUANTIZE"}


@dataclass(frozen=True)
class Node:
    """A node of the file: its index, its kind (e.g. "CONV_2D") and the name of the tensor it makes."""

    index: int
    kind: str
    name: str


def measure_profile(path: Path, *, runtime: str, threads: int) -> Profile:
    """Profile a model on random input, in a process of its own.

    Raises:
        BenchmarkError: the runtime, or its version, tells no times; or the process failed.
    """
    if runtime != "litert":
        raise BenchmarkError(f"no profile in {runtime}, which does not tell the time of its operations; litert does")
    with WorkerProcess(_WORKER) as worker:
        request = Trace(str(path), threads, _WARMUP_RUNS, _RUNS)
        traced = worker.ask(request, Traced)
    times = operation_times(traced.runs, [Node(*node) for node in traced.nodes])
    return profile_of(times, runtime=runtime, threads=threads)


def profile_of(times: Sequence[OperationTime], *, runtime: str, threads: int) -> Profile:
    """Keep the operations that take longest, and the time of all."""
    longest = sorted(times, key=lambda operation: operation.ms, reverse=True)[:SHOWN_OPERATIONS]
    total_ms = sum(operation.ms for operation in times)
    return Profile(runtime=runtime, threads=threads, total_ms=total_ms, operations=tuple(longest))


def deviation(profile: Profile, latency_ms: float) -> float:
    """Return how far the sum of a profile is from the latency without a profiler: 0.03 is 3 % more."""
    return profile.total_ms / latency_ms - 1


def operation_times(runs: Sequence[Sequence[Event]], nodes: Sequence[Node]) -> list[OperationTime]:
    """Return the time of each operation, in the order in which they ran; the shares' sum is 1.

    Args:
        runs: what LiteRT timed in each run.
        nodes: the file's nodes that every inference runs, in order.

    Raises:
        BenchmarkError: there is no operation, or the runs differ.
    """
    timed = [[event for event in run if _is_operation(event, run)] for run in runs]
    first = timed[0]
    if not first or any(_identity(run) != _identity(first) for run in timed):
        raise BenchmarkError("LiteRT timed other operations in each run, so there is no profile")
    times_ms = [_typical_ms([run[position] for run in timed]) for position in range(len(first))]
    total_ms = sum(times_ms)
    names = _names(first, nodes)
    return [
        OperationTime(name=name, kind=kind, ms=ms, share=ms / total_ms, delegate=_delegate(event))
        for (name, kind), ms, event in zip(names, times_ms, first, strict=True)
    ]


def match_operators(operators: Sequence[str], nodes: Sequence[Node]) -> list[Node | None] | None:
    """Return the node that each of XNNPACK's operators belongs to; None for one that XNNPACK put in.

    Operators run in the order of their nodes. A node may have several (a concatenation copies each input), and a folded
    one none. None instead of a list when a node is left over: then the order is another, and nothing is certain.
    """
    matched: list[Node | None] = []
    waiting = list(nodes)
    for operator in operators:
        kinds = _kinds_of(operator)
        node = _next_of(kinds, waiting)
        if node is not None:
            del waiting[: waiting.index(node) + 1]
        elif matched and matched[-1] is not None and matched[-1].kind in kinds:
            node = matched[-1]
        matched.append(node)
    return matched if all(node.kind in _FOLDED for node in waiting) else None


def _next_of(kinds: Sequence[str], waiting: Sequence[Node]) -> Node | None:
    """Return the next node if it is of `kinds`; only nodes that may be folded are passed over."""
    for node in waiting:
        if node.kind in kinds:
            return node
        if node.kind not in _FOLDED:
            return None
    return None


def _kinds_of(operator: str) -> tuple[str, ...]:
    """Return the kinds of node that an XNNPACK operator can stand for; () for one that is not known."""
    family = operator.split(" (", maxsplit=1)[0]
    return _NODES_OF_OPERATOR.get(family, ())


def _names(events: Sequence[Event], nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """Return name and kind of each operation; an operator without a node keeps XNNPACK's words."""
    by_index = {node.index: node for node in nodes}
    built_in = {index for _, kind, index, _ in events if kind == BUILT_IN}
    operators = [tag for tag, kind, *_ in events if kind == DELEGATED]
    matched = match_operators(operators, [node for node in nodes if node.index not in built_in])
    matches = iter(matched or [None] * len(operators))
    found = [by_index.get(index) if kind == BUILT_IN else next(matches) for _, kind, index, _ in events]
    return [
        (_short(node.name), node.kind) if node else (f"operator {event[2]}", event[0])
        for node, event in zip(found, events, strict=True)
    ]


def _short(name: str) -> str:
    """Return the last parts of a tensor's name; of the several names of fused operations, of the first."""
    return "/".join(name.split(";", maxsplit=1)[0].split("/")[-_NAME_PARTS:])


def _is_operation(event: Event, run: Sequence[Event]) -> bool:
    """Pass operations, without the event around a delegate whose operators were timed themselves."""
    tag, kind, *_ = event
    inside = any(other[1] == DELEGATED for other in run)
    return kind == DELEGATED or (kind == BUILT_IN and not (inside and "delegate" in tag.lower()))


def _identity(run: Sequence[Event]) -> list[tuple[str, int, int]]:
    return [(tag, kind, index) for tag, kind, index, _ in run]


def _typical_ms(events: Sequence[Event]) -> float:
    """Return the mean of the middle half: as steady as a median, and finer than the whole microseconds given."""
    elapsed_us = np.sort([event[3] for event in events])
    quarter = len(elapsed_us) // 4
    middle = elapsed_us[quarter : len(elapsed_us) - quarter]
    cut_off = _CUT_OFF_US if events[0][1] == DELEGATED else 0.0
    return float(middle.mean() + cut_off) * _MS_PER_US


def _delegate(event: Event) -> str | None:
    return XNNPACK if event[1] == DELEGATED else None
