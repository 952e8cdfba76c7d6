"""What the benchmark and the worker of profiles say to each other.

benchmark → worker   Trace
worker → benchmark   Traced in answer, or {"error": sentence}
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trace:
    """Load a model and time the operations of `runs` inferences, after `warmup_runs` that are not timed."""

    model: str
    threads: int
    warmup_runs: int
    runs: int


@dataclass(frozen=True)
class Traced:
    """Of each run, what the runtime timed: [tag, event type, index, microseconds], in order."""

    runs: list[list[tuple[str, int, int, int]]]
    nodes: list[tuple[int, str, str]]
    """The file's nodes that every inference runs: index, kind, name of what it makes."""
