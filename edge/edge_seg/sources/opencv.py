"""Opening captures through OpenCV, whose own messages end here."""

import os
from collections.abc import Sequence

import cv2

_NO_ORDINARY_RATE = 240.0


def open_quietly(target: str, backend: int, settings: Sequence[int] = ()) -> cv2.VideoCapture:
    """Open a capture; neither OpenCV nor FFmpeg writes to the terminal, from now on."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2.VideoCapture(target, backend, list(settings))  # pyright: ignore[reportCallIssue, reportArgumentType]


def plausible_fps(capture: cv2.VideoCapture) -> float | None:
    """Return the frame rate that a capture states, unless it is a placeholder."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0 < fps <= _NO_ORDINARY_RATE else None
