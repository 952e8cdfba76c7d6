"""How much is collected at most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CollectLimits:
    """Bounds on what a folder collects.

    Attributes:
        every_s: seconds from one kept frame to the next, at least.
        most_frames: frames in the folder; those that are there already count.
        most_bytes: bytes of their pictures together.
    """

    every_s: float = 60.0
    most_frames: int = 500
    most_bytes: int = 500_000_000
