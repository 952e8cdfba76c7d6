"""What the kinds of live sources have in common: something that can be opened, and grabbed from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge_seg.images import RgbImage

LONGEST_SILENCE_S = 2.5
"""A source that neither opens nor gives a frame for so long counts as stalled."""


@dataclass(frozen=True)
class Grabbed:
    """One picture as it came; decoded only if somebody takes it."""

    decode: Callable[[], RgbImage]
    """Raises ImageError when the picture is damaged. May be called from any thread, also after the next grab."""
    captured_monotonic_s: float
    """When it was captured, or where that is not known, when it arrived."""


class Capture(Protocol):
    """An opened camera or stream. One thread grabs and closes."""

    @property
    def fps(self) -> float | None:
        """Frames per second as the source states them, where it does."""
        ...

    def grab(self) -> Grabbed:
        """Wait for the next picture.

        Raises:
            SourceError: the source ended, failed or was silent for too long.
        """
        ...

    def close(self) -> None:
        """Let go of the device or connection."""
        ...


class Camera(Protocol):
    """A live source that can be opened again and again."""

    @property
    def name(self) -> str:
        """A name that can be part of a file's."""
        ...

    @property
    def label(self) -> str:
        """What messages call it; holds no credentials."""
        ...

    @property
    def longest_silence_s(self) -> float:
        """How long it may take to open, and between two pictures."""
        ...

    def open(self) -> Capture:
        """Open it.

        Raises:
            SourceError: it does not answer or gives no video; the sentence begins with the label.
        """
        ...
