"""What sources give: frames, and the interface they share."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from edge_seg.images import RgbImage


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture."""

    image: RgbImage
    """[height, width, 3] uint8 RGB."""
    index: int
    """Counts from 0; a live source counts frames that were dropped later, too."""
    captured_at: float
    """Seconds since the epoch when the frame was captured or decoded."""
    name: str
    """A file's name, or `clip_000012` for frame 12 of clip.mp4; what outputs are named after."""
    captured_monotonic_s: float = field(default_factory=time.monotonic)
    """The same instant on the clock that nobody sets, from which ages are measured."""


class Source(Protocol):
    """Something that gives frames, one after the other. One thread iterates and closes it."""

    @property
    def name(self) -> str:
        """A short name for messages and file names."""
        ...

    @property
    def live(self) -> bool:
        """True when frames come at their own pace, so that a late reader loses them."""
        ...

    @property
    def frame_count(self) -> int | None:
        """How many frames there are, where that is known."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second as the source states them, where it does."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Give the frames.

        Raises:
            SourceError: a frame cannot be read, or a live source stopped giving frames.
        """
        ...

    def close(self) -> None:
        """Let go of the device or file. Harmless when done twice."""
        ...


@runtime_checkable
class WaitingSource(Source, Protocol):
    """A source that may wait for its next frame without end: a camera that is gone, a folder that is watched."""

    def while_waiting(self, listener: Callable[[str], None]) -> None:
        """Have `listener` told every few seconds what is waited for; called before the source is iterated."""
        ...

    def interrupt(self) -> None:
        """End the iteration at once, from any thread."""
        ...


FrameChoice: TypeAlias = Callable[[int], bool]
"""Called with the index of each frame, once and in order, before the frame is decoded; tells whether it is wanted."""


@runtime_checkable
class SelectiveSource(Source, Protocol):
    """A source that need not decode what is not wanted."""

    def select(self, wanted: FrameChoice) -> None:
        """Leave out, undecoded, the frames that are not wanted; called before the source is iterated."""
        ...


def every_frame(_index: int) -> bool:
    """Want them all."""
    return True
