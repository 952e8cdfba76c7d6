"""A worker that times a model (see messages.py), whichever runtime runs it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from time import perf_counter, perf_counter_ns
from typing import Protocol, TextIO, TypeVar

from edge_seg.errors import ModelError
from edge_seg.runtimes import TensorSpec
from edge_seg.runtimes.engine import Tensor
from edge_seg_bench.answering import Answer, answer_lines, answer_stdin
from edge_seg_bench.inputs import picture_input, random_input
from edge_seg_bench.messages import (
    REQUESTS,
    Block,
    BlockDone,
    Classified,
    Classify,
    Finished,
    Load,
    Loaded,
    Request,
)


class Runner(Protocol):
    """A loaded model, as far as a worker needs it."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The model's inputs; the first is an image, [1, height, width, 3]."""
        ...

    def set_input(self, tensor: Tensor) -> None:
        """Copy `tensor`, of the shape and dtype of inputs[0], into the first input."""
        ...

    def invoke(self) -> None:
        """Run the graph."""
        ...

    def output(self) -> Tensor:
        """Copy the first output out: class scores, [1, height, width, classes] or [1, classes, height, width]."""
        ...


R = TypeVar("R", bound=Runner)


class Backend(Protocol[R]):
    """What a worker knows of its runtime."""

    def import_runtime(self, runtime: str) -> str:
        """Import the runtime and return its version, "" when it is not installed."""
        ...

    def load(self, request: Load) -> R:
        """Load a model; raise an EdgeSegError when that is not possible."""
        ...

    def settings(self, runner: R) -> Mapping[str, str]:
        """Return what the runtime was told, and what it says it does."""
        ...

    def finish(self, runner: R) -> Finished:
        """Read the peak memory and describe the graph."""
        ...


def run_worker(backend: Backend[R]) -> None:
    """Serve requests until Finish or the end of stdin."""
    answer_stdin(partial(serve, backend=backend))


def serve(requests: TextIO, replies: TextIO, backend: Backend[R]) -> None:
    """Answer each line of `requests` with one line on `replies`; the first is a Load. Stop after an error."""
    answer_lines(requests, replies, REQUESTS, partial(_load, backend), partial(_answer, backend))


def measure_block(invoke: Callable[[], object], block: Block) -> list[float]:
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


def invoke_once(runner: Runner, model: str) -> None:
    """Run the graph for the first time; raise ModelError when it cannot."""
    try:
        runner.invoke()
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{model}: it loads but does not run ({reason}); convert the model again") from None


def class_ids(scores: Tensor, height: int, width: int) -> Tensor:
    """Return the class of the highest score of each pixel, [height, width].

    Raises:
        ModelError: `scores` is neither [1, height, width, classes] nor [1, classes, height, width].
    """
    if scores.ndim == 4 and scores.shape[1:3] == (height, width):
        return scores[0].argmax(axis=-1)
    if scores.ndim == 4 and scores.shape[2:] == (height, width):
        return scores[0].argmax(axis=0)
    raise ModelError(
        f"an output of shape {list(scores.shape)} is no class scores of {height}×{width} pixels; "
        "convert the model with --output scores"
    )


def _goes_on(block: Block, runs: int, elapsed_s: float) -> bool:
    return elapsed_s < block.limit_s and (runs < block.runs or elapsed_s < block.seconds)


def _load(backend: Backend[R], request: Load) -> tuple[R, Answer]:
    start = perf_counter()
    runtime_version = backend.import_runtime(request.runtime)
    imported = perf_counter()
    runner = backend.load(request)
    loaded = perf_counter()
    spec = runner.inputs[0]
    runner.set_input(random_input(spec))
    before = perf_counter()
    invoke_once(runner, request.model)
    loaded_once = Loaded(
        runtime_version=runtime_version,
        import_ms=(imported - start) * 1e3,
        load_ms=(loaded - imported) * 1e3,
        first_inference_ms=(perf_counter() - before) * 1e3,
        input_shape=list(spec.shape),
        input_dtype=spec.dtype.name,
        settings=dict(backend.settings(runner)),
    )
    return runner, asdict(loaded_once)


def _answer(backend: Backend[R], runner: R, request: Request) -> Answer:
    match request:
        case Block():
            latencies_ms = measure_block(runner.invoke, request)
            return asdict(BlockDone([round(latency_ms, 5) for latency_ms in latencies_ms]))
        case Classify():
            return asdict(_classify(runner, request))
        case Load():
            raise ModelError("a worker loads one model; start another for the next")
        case _:
            return asdict(backend.finish(runner))


def _classify(runner: Runner, request: Classify) -> Classified:
    spec = runner.inputs[0]
    _, height, width, _ = spec.shape
    runner.set_input(picture_input(request.picture, height, width)[None].astype(spec.dtype))
    runner.invoke()
    return Classified(class_ids(runner.output(), height, width).tolist())
