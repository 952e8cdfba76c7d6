"""A profile in a process of its own, `python -m edge_seg_bench.profile_worker`: see profile_messages.py.

The C interface below it is not checked by Python: what crashes there must not take the benchmark along.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg.runtimes import TensorSpec, load_engine
from edge_seg_bench.answering import Answer, answer_lines, answer_stdin
from edge_seg_bench.inputs import random_input
from edge_seg_bench.litert_profiler import LitertProfiler
from edge_seg_bench.profile_messages import Trace, Traced
from edge_seg_bench.work import Graph, running_nodes


def trace(request: Trace) -> Traced:
    """Time the operations of a model's inferences on random input, in LiteRT.

    Raises:
        BenchmarkError: the profiler gives nothing.
        ModelError: no such file, or one that LiteRT cannot load.
    """
    path = Path(request.model)
    engine = load_engine(path, runtime="litert", delegate=False)
    profiler = LitertProfiler(path, request.threads)
    profiler.fill(lambda size: _random_bytes(engine.inputs, size))
    for _ in range(request.warmup_runs):
        profiler.run()
    runs = [profiler.traced_run() for _ in range(request.runs)]
    return Traced(runs, _described_nodes(engine))


def _described_nodes(graph: Graph) -> list[tuple[int, str, str]]:
    nodes, tensors = running_nodes(graph), graph.tensors
    return [(index, node.name, tensors[node.outputs[0]].name) for index, node in nodes.items()]


def _random_bytes(inputs: Sequence[TensorSpec], size: int) -> bytes:
    """Return random values for the input that takes `size` bytes: LiteRT may count inputs in another order."""
    for spec in inputs:
        values = random_input(spec).tobytes()
        if len(values) == size:
            return values
    raise BenchmarkError(f"LiteRT wants an input of {size} bytes for a profile, and the model has none of that size")


def main() -> None:
    """Answer the one request on stdin."""
    answer_stdin(partial(answer_lines, kinds=(Trace,), begin=_begin, answer=_refuse))


def _begin(request: Trace) -> tuple[None, Answer]:
    return None, asdict(trace(request))


def _refuse(_opened: None, _request: Trace) -> Answer:
    raise BenchmarkError("a profile answers one request; start another for the next")


if __name__ == "__main__":
    main()
