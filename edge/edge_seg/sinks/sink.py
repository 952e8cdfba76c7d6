"""The interface of outputs, and what they are told when they are opened."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge_seg.classes import SegmentationClass
from edge_seg.drawing import DEFAULT_OPACITY, draw_overlay
from edge_seg.images import RgbImage
from edge_seg.result import Result
from edge_seg.sinks.rotation import Rotation

Painter = Callable[[Result], RgbImage]
"""Draws a result as a new RGB image of the frame's size."""


class Sink(Protocol):
    """An output. Not thread-safe: one thread writes and closes it."""

    @property
    def needs_main_thread(self) -> bool:
        """True for an output that only the main thread may touch, as a window is."""
        ...

    def write(self, result: Result) -> None:
        """Write one result.

        Raises:
            SinkError: it cannot be written; nothing half-written is left.
        """
        ...

    def close(self) -> None:
        """Finish the output. Harmless when done twice.

        Raises:
            SinkError: what was written did not reach the disk.
        """
        ...


@dataclass(frozen=True)
class SinkOptions:
    """What an output may want to know about the run."""

    paint: Painter
    live: bool = False
    """Frames come at their own pace, with gaps where some were dropped."""
    fps: float | None = None
    """Frames per second as the source states them."""
    rotation: Rotation | None = None
    """When one file ends and the next begins, each under its name at once; None: one whole file."""
    pictures: Path | None = None
    """The folder that the frames are files of, named as they are."""
    on_quit: Callable[[], None] | None = None
    """Called when the user ends the run from within the output."""


class PaintOnce:
    """A painter that paints a result once, however many outputs draw it; the picture is read-only."""

    def __init__(self, paint: Painter) -> None:
        self._paint = paint
        self._lock = threading.Lock()
        self._newest: tuple[Result, RgbImage] | None = None

    def __call__(self, result: Result) -> RgbImage:
        """Paint `result`, or return its picture if it was the last one painted."""
        with self._lock:
            if self._newest is None or self._newest[0] is not result:
                picture = self._paint(result)
                picture.flags.writeable = False
                self._newest = result, picture
            return self._newest[1]


def overlay_painter(classes: Sequence[SegmentationClass], opacity: float = DEFAULT_OPACITY) -> Painter:
    """Return a painter of class colours over the frame."""

    def paint(result: Result) -> RgbImage:
        return draw_overlay(result.frame.image, result.segmentation.class_map, classes, opacity)

    return paint
