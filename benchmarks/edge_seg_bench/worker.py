"""One model in one process: `python -m edge_seg_bench.worker`, answering requests on stdin (see messages.py).

The answers go to a duplicate of the original stdout; everything else that prints, native libraries included,
is sent to stderr, which the benchmark keeps and shows when the worker fails.
"""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter, perf_counter_ns
from typing import TextIO

from edge_seg.errors import EdgeSegError, ModelError
from edge_seg.runtimes import Engine, TensorSpec, load_engine
from edge_seg.runtimes.engine import Tensor
from edge_seg_bench.memory import peak_rss_bytes
from edge_seg_bench.messages import REQUESTS, Block, BlockDone, Finished, Load, Loaded, Request

# Runtime: (module whose import is costly, distribution that carries the version).
_RUNTIME_PACKAGES = {
    "litert": ("ai_edge_litert.interpreter", "ai-edge-litert"),
    "tflite_runtime": ("tflite_runtime.interpreter", "tflite-runtime"),
}
_INPUT_SEED = 0


def main() -> None:
    """Serve requests until Finish or the end of stdin."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies:
        os.dup2(2, 1)
        serve(sys.stdin, replies)


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer each line of `requests` with one line on `replies`; stop after an error."""
    first = requests.readline()
    if not first:
        return
    try:
        engine, loaded = _load(Load(**json.loads(first)["Load"]))
        _reply(replies, asdict(loaded))
        for line in requests:
            _reply(replies, _answer(engine, _parse(line)))
    except EdgeSegError as error:
        _reply(replies, {"error": str(error)})


def random_input(spec: TensorSpec, seed: int = _INPUT_SEED) -> Tensor:
    """Return seeded random values for an input: [0, 1) for floats, the dtype's whole range for integers."""
    import numpy as np

    generator = np.random.default_rng(seed)
    if spec.dtype.kind == "f":
        return generator.random(spec.shape).astype(spec.dtype)
    limits = np.iinfo(spec.dtype)
    return generator.integers(limits.min, limits.max, size=spec.shape, dtype=spec.dtype, endpoint=True)


def measure_block(invoke: Callable[[], None], block: Block) -> list[float]:
    """Invoke as `block` says; return milliseconds of each measured run, one at least."""
    for _ in range(block.discard):
        invoke()
    latencies_ms: list[float] = []
    start = perf_counter()
    while not latencies_ms or _goes_on(block, len(latencies_ms), perf_counter() - start):
        before = perf_counter_ns()
        invoke()
        latencies_ms.append((perf_counter_ns() - before) / 1e6)
    return latencies_ms


def _goes_on(block: Block, runs: int, elapsed_s: float) -> bool:
    return elapsed_s < block.limit_s and (runs < block.runs or elapsed_s < block.seconds)


def _load(request: Load) -> tuple[Engine, Loaded]:
    start = perf_counter()
    runtime_version = import_runtime(request.runtime)
    imported = perf_counter()
    engine = load_engine(Path(request.model), runtime=request.runtime, threads=request.threads)
    loaded = perf_counter()
    spec = engine.inputs[0]
    engine.set_input(random_input(spec))
    before = perf_counter()
    invoke_once(engine, request.model)
    return engine, Loaded(
        runtime_version=runtime_version,
        import_ms=(imported - start) * 1e3,
        load_ms=(loaded - imported) * 1e3,
        first_inference_ms=(perf_counter() - before) * 1e3,
        input_shape=list(spec.shape),
        input_dtype=spec.dtype.name,
    )


def import_runtime(runtime: str) -> str:
    """Import a runtime and return its version; load_engine has the sentence for one that is not there."""
    if runtime not in _RUNTIME_PACKAGES:
        return ""
    module, distribution = _RUNTIME_PACKAGES[runtime]
    try:
        import_module(module)
        return version(distribution)
    except (ImportError, PackageNotFoundError):
        return ""


def invoke_once(engine: Engine, model: str) -> None:
    """Run the graph for the first time; raise ModelError when it cannot."""
    try:
        engine.invoke()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{model}: it loads but does not run ({reason}); convert the model again") from None


def _answer(engine: Engine, request: Request) -> dict[str, object]:
    match request:
        case Block():
            latencies_ms = measure_block(engine.invoke, request)
            return asdict(BlockDone([round(latency_ms, 5) for latency_ms in latencies_ms]))
        case Load():
            raise ModelError("a worker loads one model; start another for the next")
        case _:
            return asdict(_finish(engine))


def _finish(engine: Engine) -> Finished:
    """Read the peak before anything else is imported, then look into the graph."""
    peak = peak_rss_bytes()
    from edge_seg.inspection import delegate_coverage, guess_precision

    coverage = delegate_coverage(engine.operations)
    return Finished(peak, guess_precision(engine), **asdict(coverage))


def _parse(line: str) -> Request:
    ((kind, fields),) = json.loads(line).items()
    return REQUESTS[kind](**fields)


def _reply(replies: TextIO, message: dict[str, object]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
