"""What the benchmark and the worker of the whole road say to each other, on top of messages.py.

benchmark → worker   OpenRoad, then any number of RoadBlock and Block
worker → benchmark   RoadOpened, RoadDone and BlockDone in answer, or {"error": sentence}
"""

from dataclasses import dataclass

from edge_seg_bench.messages import Block

STAGES = ("decode", "resize", "invoke", "postprocess", "draw", "write")
"""From a picture file to an overlay file, in order."""


@dataclass(frozen=True)
class OpenRoad:
    """Load a model, and walk the road once."""

    model: str
    runtime: str
    threads: int
    pictures: list[str]
    """The files, in the order in which they come, again and again."""
    overlays: str
    """The folder to write to."""


@dataclass(frozen=True)
class RoadOpened:
    """Milliseconds of the first walk."""

    first_ms: float


@dataclass(frozen=True)
class RoadBlock(Block):
    """A Block of walks: the next picture each time."""


@dataclass(frozen=True)
class RoadDone:
    """Milliseconds of each walk, in order: by stage, and from its beginning to its end."""

    stages_ms: dict[str, list[float]]
    whole_ms: list[float]


ROAD_REQUESTS = (OpenRoad, RoadBlock, Block)
