"""Video files, on the disk or on a web server, through OpenCV."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from edge_seg.errors import SourceError
from edge_seg.sources.addresses import stream_name, without_secrets
from edge_seg.sources.capture import LONGEST_SILENCE_S
from edge_seg.sources.frame import Frame, FrameChoice, every_frame
from edge_seg.sources.opencv import open_quietly, plausible_fps

_LONGEST_PLAUSIBLE_COUNT = 10_000_000


class VideoFile:
    """Every frame of a video, in order."""

    live = False

    def __init__(self, capture: cv2.VideoCapture, name: str, ended_early: str) -> None:
        """Take an opened capture, and the sentence for the case that it ends early: `{read}` is how far it came."""
        self.name = name
        self.frame_count = _plausible_count(capture)
        self.fps = plausible_fps(capture)
        self._capture, self._ended_early = capture, ended_early
        self._wanted: FrameChoice = every_frame

    def select(self, wanted: FrameChoice) -> None:
        """Leave out, undecoded, the frames that are not wanted."""
        self._wanted = wanted

    def __iter__(self) -> Iterator[Frame]:
        for index in count():
            arrived, bgr = self._capture.read() if self._wanted(index) else (self._capture.grab(), None)
            if not arrived:
                self._check_end(index)
                return
            if bgr is not None:
                image = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), dtype=np.uint8)
                yield Frame(image, index, time.time(), f"{self.name}_{index:06d}")

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _check_end(self, frames_read: int) -> None:
        """Tell an end from a failure: OpenCV returns False for both.

        Containers estimate their frame count, so that the last few frames may be missing.
        """
        slack = 2 + (self.frame_count or 0) // 50
        cut_short = self.frame_count is not None and frames_read + slack < self.frame_count
        if cut_short or frames_read == 0:
            of_count = f" of {self.frame_count}" if self.frame_count else ""
            raise SourceError(self._ended_early.replace("{read}", f"{frames_read}{of_count}"))


def open_video(path: Path) -> VideoFile:
    """Open a video file.

    Raises:
        SourceError: OpenCV cannot decode it.
    """
    capture = open_quietly(str(path), cv2.CAP_ANY)
    if not capture.isOpened():
        raise SourceError(
            f"{path}: cannot be opened as a video; it is damaged or its codec is unknown, convert it to H.264 mp4"
        )
    early = f"{path}: only {{read}} frames could be read, so the file is damaged; copy or convert it again"
    return VideoFile(capture, path.stem, early)


def open_network_video(url: str) -> VideoFile:
    """Open a video file on a web server.

    Raises:
        SourceError: no answer in time, or not a video.
    """
    timeout_ms = round(LONGEST_SILENCE_S * 1000)
    settings = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms)
    label, started_s = without_secrets(url), time.monotonic()
    capture = open_quietly(url, cv2.CAP_FFMPEG, settings)
    if not capture.isOpened():
        silent = time.monotonic() - started_s >= LONGEST_SILENCE_S * 0.9
        reason = f"did not answer within {LONGEST_SILENCE_S:g} s" if silent else "is not there or holds no video"
        raise SourceError(f"{label}: {reason}; check the address and the network")
    early = f"{label}: only {{read}} frames arrived; check the connection and try again"
    return VideoFile(capture, stream_name(url), early)


def _plausible_count(capture: cv2.VideoCapture) -> int | None:
    frames = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(frames) if 0 < frames < _LONGEST_PLAUSIBLE_COUNT else None
