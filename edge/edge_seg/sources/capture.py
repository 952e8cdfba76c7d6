"""Videos, cameras and streams through OpenCV. Its BGR and its own messages end here."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from edge_seg.errors import SourceError
from edge_seg.runtimes.quiet import quiet_stderr
from edge_seg.sources.frame import Frame, FrameChoice, every_frame

STREAM_TIMEOUT_S = 5
_TIMEOUTS = (
    cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
    STREAM_TIMEOUT_S * 1000,
    cv2.CAP_PROP_READ_TIMEOUT_MSEC,
    STREAM_TIMEOUT_S * 1000,
)
_LONGEST_PLAUSIBLE_COUNT = 10_000_000
_NO_ORDINARY_RATE = 240.0


@dataclass(frozen=True)
class CaptureKind:
    """How a capture behaves, and the sentence for the case that it ends early."""

    name: str
    live: bool
    ended_early: str


class CaptureSource:
    """Frames of a cv2.VideoCapture."""

    def __init__(self, capture: cv2.VideoCapture, kind: CaptureKind) -> None:
        self._capture = capture
        self._kind = kind
        self._wanted: FrameChoice = every_frame
        self.name = kind.name
        self.live = kind.live
        self.frame_count = None if kind.live else _plausible_count(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.fps = _plausible_fps(capture.get(cv2.CAP_PROP_FPS))

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
        """Release the device or file."""
        self._capture.release()

    def _check_end(self, frames_read: int) -> None:
        """Tell an end from a failure: OpenCV returns False for both.

        Containers estimate their frame count, so that the last few frames may be missing.
        """
        slack = 2 + (self.frame_count or 0) // 50
        cut_short = self.frame_count is not None and frames_read + slack < self.frame_count
        if self.live or cut_short or frames_read == 0:
            of_count = f" of {self.frame_count}" if self.frame_count else ""
            raise SourceError(self._kind.ended_early.format(read=f"{frames_read}{of_count}"))


def open_video(path: Path) -> CaptureSource:
    """Open a video file.

    Raises:
        SourceError: OpenCV cannot decode it.
    """
    capture = _open(str(path), cv2.CAP_ANY)
    if not capture.isOpened():
        raise SourceError(
            f"{path}: cannot be opened as a video; it is damaged or its codec is unknown, convert it to H.264 mp4"
        )
    early = f"{path}: only {{read}} frames could be read, so the file is damaged; copy or convert it again"
    return CaptureSource(capture, CaptureKind(path.stem, False, early))


def open_network_file(url: str) -> CaptureSource:
    """Open a video file on a web server.

    Raises:
        SourceError: no answer within STREAM_TIMEOUT_S, or not a video.
    """
    early = f"{url}: only {{read}} frames arrived; check the connection and try again"
    return CaptureSource(_open_url(url), CaptureKind(_name_of(url), False, early))


def open_stream(url: str) -> CaptureSource:
    """Open a live stream: RTSP, MJPEG over HTTP, or what else FFmpeg reads.

    Raises:
        SourceError: no answer within STREAM_TIMEOUT_S, or no video in it.
    """
    early = (
        f"{url}: the stream stopped after {{read}} frames (closed, or silent for {STREAM_TIMEOUT_S} s); "
        "check the camera and the network"
    )
    return CaptureSource(_open_url(url), CaptureKind(_name_of(url), True, early))


def open_camera(uri: str) -> CaptureSource:
    """Open a V4L2 camera by number or device file.

    Raises:
        SourceError: no such camera, in use by another program, or not one OpenCV can read.
    """
    index = int(re.findall(r"\d+", uri)[-1])
    device = Path(f"/dev/video{index}")
    if os.name == "posix" and not device.exists():
        raise SourceError(f"{device}: no such camera; {_cameras_sentence()}")
    capture = _open(index, cv2.CAP_V4L2 if Path("/dev").is_dir() else cv2.CAP_ANY)
    if not capture.isOpened():
        raise SourceError(
            f"{device}: gives no video; it is in use by another program, not a capture device, or a "
            f"Raspberry Pi CSI camera, which OpenCV reads only under  libcamerify edge-seg camera; "
            f"{_cameras_sentence()}"
        )
    early = f"{device}: the camera stopped after {{read}} frames; check the cable and the power supply"
    return CaptureSource(capture, CaptureKind(f"camera{index}", True, early))


def camera_devices() -> tuple[str, ...]:
    """List /dev/video*, in numeric order."""
    devices = [path for path in Path("/dev").glob("video*") if path.name[5:].isdecimal()]
    return tuple(str(path) for path in sorted(devices, key=lambda path: int(path.name[5:])))


def _cameras_sentence() -> str:
    devices = camera_devices()
    return f"this machine has {', '.join(devices)}" if devices else "this machine has no /dev/video*: plug one in"


def _open_url(url: str) -> cv2.VideoCapture:
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    started = time.monotonic()
    capture = _open(url, cv2.CAP_FFMPEG, _TIMEOUTS)
    if not capture.isOpened():
        silent = time.monotonic() - started >= STREAM_TIMEOUT_S * 0.9
        reason = f"did not answer within {STREAM_TIMEOUT_S} s" if silent else "refused the connection or holds no video"
        raise SourceError(f"{url}: {reason}; check the address, the camera and the network")
    return capture


def _open(target: str | int, backend: int, settings: tuple[int, ...] = ()) -> cv2.VideoCapture:
    """Open a capture while OpenCV and FFmpeg are kept from writing to the terminal."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    with quiet_stderr():
        return cv2.VideoCapture(target, backend, list(settings))  # pyright: ignore[reportCallIssue, reportArgumentType]


def _name_of(url: str) -> str:
    """Return a file-name-safe name for a stream: its host, or its file's stem."""
    host = re.sub(r"^\w+://([^@/]*@)?", "", url).partition("?")[0].rstrip("/")
    return re.sub(r"[^A-Za-z0-9]+", "_", host).strip("_") or "stream"


def _plausible_count(count: float) -> int | None:
    return int(count) if 0 < count < _LONGEST_PLAUSIBLE_COUNT else None


def _plausible_fps(fps: float) -> float | None:
    return float(fps) if 0 < fps <= _NO_ORDINARY_RATE else None
