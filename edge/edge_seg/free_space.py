"""How much of a disk stays free, and what happens when it does not."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

WhenFull: TypeAlias = Literal["pause", "delete-oldest", "stop"]
"""Write nothing until there is room again; remove the oldest recordings; end the run."""


@dataclass(frozen=True)
class FreeSpace:
    """What is to stay free of every disk that is written to."""

    keep_bytes: int
    when_full: WhenFull = "pause"
