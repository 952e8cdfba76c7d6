"""The time that passes in front of the camera, as opposed to how fast a file is worked through."""

from collections.abc import Callable

from edge_seg.sources.frame import Frame, Source

FrameClock = Callable[[Frame], float]
"""Gives the seconds of a frame on a clock of the source's own; only differences mean something."""


def frame_clock(source: Source) -> FrameClock:
    """Return the clock of a source's frames: of a video file its own time, else that of capture.

    So "for 3s" means three seconds of the film, however fast it goes through the model.
    """
    fps = source.fps
    if source.live or not fps:
        return lambda frame: frame.captured_monotonic_s
    return lambda frame: frame.index / fps
