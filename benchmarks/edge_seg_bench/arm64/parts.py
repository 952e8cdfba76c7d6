"""The parts of one frame's work that are counted. They do not overlap, so their counts add up.

Around the network they work on a picture of 640×480 pixels and on scores that let every class win somewhere, so
their counts hang on the code and on the network's sizes alone, not on its weights. Waiting and handing on between
the camera's threads is in none of them.
"""

from collections.abc import Mapping
from typing import Literal

from edge_seg.errors import BenchmarkError

Part = Literal["invoke", "segment", "overlay", "event"]

PARTS: Mapping[Part, str] = {
    "invoke": "the network, one `invoke()` of the runtime",
    "segment": (
        "all else in `Segmenter.segment` with a picture of 640×480 pixels: shrinking it, filling the input, reading "
        "the scores, enlarging them, the best class of each pixel, the area of each class"
    ),
    "overlay": "painting the class colours over that picture",
    "event": "the frame's line of JSON, until the kernel has it",
}
"""What each part is, by its name."""

RUNS = 3
"""How often each part is counted; the median stands for it."""


def find_part(name: str) -> Part:
    """Return a part by its name.

    Raises:
        BenchmarkError: none of PARTS.
    """
    for part in PARTS:
        if part == name:
            return part
    raise BenchmarkError(f"no part of the work is called '{name}'; choose one of {', '.join(PARTS)}")
