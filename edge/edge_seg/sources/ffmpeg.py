"""Streams that FFmpeg reads through OpenCV: RTSP and the rest."""

import os
import socket
import threading
import time
from functools import partial
from urllib.parse import urlsplit

import cv2
import numpy as np

from edge_seg.errors import SourceError
from edge_seg.images import RgbImage
from edge_seg.sources.addresses import host_and_port, stream_name, without_secrets
from edge_seg.sources.capture import LONGEST_SILENCE_S, Grabbed
from edge_seg.sources.opencv import open_quietly, plausible_fps
from edge_seg.sources.options import SourceOptions
from edge_seg.sources.reasons import reason_of

_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "http": 80, "https": 443}
_LONGEST_PATIENCE_S = 10.0
_DECODING_THREADS = 2
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_opening = threading.Lock()


class FfmpegCamera:
    """A stream by its URL.

    The first picture can only be decoded from a key frame on, which some cameras send every few
    seconds: after an opening that gave no picture the next one has twice the patience, up to 10 s.
    """

    def __init__(self, url: str, options: SourceOptions) -> None:
        self.name, self.label = stream_name(url), without_secrets(url)
        self.longest_silence_s = LONGEST_SILENCE_S
        self._url, self._transport = url, options.transport

    def open(self) -> "FfmpegCapture":
        """Open the stream, and wait for its first picture."""
        self._check_answers()
        capture = self._open()
        if not capture.isOpened():
            raise SourceError(
                f"{self.label}: answers, but gives no video; check the path, the user and password "
                f"(rtsp://user:password@host/path) and --transport, now {self._transport}"
            )
        if not capture.grab():
            capture.release()
            silence_s = self.longest_silence_s
            self.longest_silence_s = min(2 * silence_s, _LONGEST_PATIENCE_S)
            raise SourceError(f"{self.label}: gave no picture within {silence_s:g} s")
        return FfmpegCapture(self, capture)

    def _check_answers(self) -> None:
        """Find out why a connection cannot be made, which FFmpeg does not tell."""
        parts = urlsplit(self._url)
        if parts.scheme not in _PORTS:
            return
        try:
            socket.create_connection(host_and_port(parts, _PORTS[parts.scheme]), LONGEST_SILENCE_S).close()
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else str(error)
            raise SourceError(f"{self.label}: {reason}; check the address, the camera and the network") from None

    def _open(self) -> cv2.VideoCapture:
        patience_ms = round(self.longest_silence_s * 1000)
        settings = (
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, patience_ms),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, patience_ms),
            *(cv2.CAP_PROP_N_THREADS, _DECODING_THREADS),  # each thread more delays the picture by one
        )
        with _opening:
            os.environ[_OPTIONS] = f"rtsp_transport;{self._transport}"
            return open_quietly(self._url, cv2.CAP_FFMPEG, settings)


class FfmpegCapture:
    """An opened stream that has already grabbed its first picture."""

    def __init__(self, camera: FfmpegCamera, capture: cv2.VideoCapture) -> None:
        self._label, self._capture = camera.label, capture
        self._silence_s = camera.longest_silence_s
        self._has_first = True
        self.fps = plausible_fps(capture)

    def grab(self) -> Grabbed:
        """Read and decode the next picture; its colours are converted when somebody takes it."""
        started_s = time.monotonic()
        arrived = self._has_first or self._capture.grab()
        self._has_first = False
        if time.monotonic() - started_s > 0.9 * self._silence_s:  # FFmpeg timed out; it may give a leftover picture
            raise SourceError(f"{self._label}: no frame for {self._silence_s:g} s; check the camera and the network")
        retrieved, bgr = self._capture.retrieve() if arrived else (False, None)
        if not retrieved or bgr is None:
            raise SourceError(f"{self._label}: the stream ended; check the camera and the network")
        return Grabbed(partial(_to_rgb, bgr), time.monotonic())

    def close(self) -> None:
        """Hang up."""
        self._capture.release()


def _to_rgb(bgr: cv2.typing.MatLike) -> RgbImage:
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
