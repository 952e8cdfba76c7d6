"""What the benchmark and its workers say to each other: one JSON object a line.

benchmark → worker   Load, then any number of Block, then Finish
worker → benchmark   Loaded, BlockDone and Finished in answer, or {"error": sentence}
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Load a model into a runtime and run it once."""

    model: str
    runtime: str
    threads: int


@dataclass(frozen=True)
class Loaded:
    """The model ran once. `import_ms` is the runtime's own Python import, which any program pays once."""

    runtime_version: str
    import_ms: float
    load_ms: float
    first_inference_ms: float
    input_shape: list[int]
    input_dtype: str


@dataclass(frozen=True)
class Block:
    """Invoke until `runs` and `seconds` are reached or `limit_s` is over, after `discard` unmeasured runs."""

    runs: int
    seconds: float
    limit_s: float
    discard: int


@dataclass(frozen=True)
class BlockDone:
    """Milliseconds of each invocation, in order."""

    latencies_ms: list[float]


@dataclass(frozen=True)
class Finish:
    """Report what is known at the end, then stop."""


@dataclass(frozen=True)
class Finished:
    """Peak resident set of the worker process (Python and runtime included), and what the graph is."""

    peak_rss_bytes: int
    precision: str
    nodes: int
    delegated: int
    partitions: int
    left_out: dict[str, int]


Request = Load | Block | Finish
Reply = Loaded | BlockDone | Finished
REQUESTS: dict[str, type[Request]] = {kind.__name__: kind for kind in (Load, Block, Finish)}
