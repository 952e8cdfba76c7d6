"""What the benchmark and its workers say to each other: one JSON object a line.

benchmark → worker   Load, then any number of Block and Classify, then Finish
worker → benchmark   Loaded, BlockDone, Classified and Finished in answer, or {"error": sentence}
"""

from dataclasses import dataclass, field


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
    settings: dict[str, str] = field(default_factory=dict[str, str])
    """What the runtime was told, and what it says it does."""


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
class Classify:
    """Segment a picture file, or the generated photograph of edge_seg_bench.inputs."""

    picture: str | None = None


@dataclass(frozen=True)
class Classified:
    """The class ids of the picture's pixels, at network size, a list for each row of pixels."""

    class_ids: list[list[int]]


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


Request = Load | Block | Classify | Finish
Reply = Loaded | BlockDone | Classified | Finished
REQUESTS = (Load, Block, Classify, Finish)
