"""USB and other V4L2 cameras through OpenCV."""

import os
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np

from edge_seg.errors import SourceError
from edge_seg.images import RgbImage
from edge_seg.sources.capture import LONGEST_SILENCE_S, Grabbed
from edge_seg.sources.jpeg import decode_jpeg
from edge_seg.sources.opencv import open_quietly, plausible_fps
from edge_seg.sources.options import SourceOptions
from edge_seg.sources.v4l2_devices import VideoDevice, find_device, video_devices

_SELECT_TIMEOUT_S = 2
_OLDEST_STAMP_S = 60.0
_PREFERRED = ("MJPG", "YUYV")  # MJPG first: raw pictures of more than 640×480 do not fit through USB 2 at 30 per second
_TO_RGB = {
    "YUYV": cv2.COLOR_YUV2RGB_YUYV,
    "UYVY": cv2.COLOR_YUV2RGB_UYVY,
}


class V4l2Camera:
    """A camera by number, path or name. One that is plugged in again is found under its name."""

    longest_silence_s = LONGEST_SILENCE_S

    def __init__(
        self,
        wanted: str,
        options: SourceOptions,
        report: Callable[[str], None],
        *,
        devices: Callable[[], Sequence[VideoDevice]] = video_devices,
        open_capture: Callable[[str, int], Any] = open_quietly,
    ) -> None:
        self.name = _camera_name(wanted)
        self.label = f"/dev/video{wanted}" if wanted.isdecimal() else wanted
        self._wanted, self._options, self._report = wanted, options, report
        self._devices, self._open_capture = devices, open_capture
        self._known_as: str | None = None
        self._reported = ""

    def open(self) -> "V4l2Capture":
        """Open the camera and ask it for size, rate and pixel format."""
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(_SELECT_TIMEOUT_S))
        device = self._find()
        capture = self._open_capture(str(device.path), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise SourceError(f"{self.label}: {_why_closed(device)}")
        self._known_as = device.name
        _request(capture, self._options)
        self._tell_differences(capture)
        return V4l2Capture(self.label, capture)

    def _find(self) -> VideoDevice:
        """Find the camera where it was; else, once it was open, wherever it was plugged in again."""
        devices = self._devices()
        try:
            device = find_device(self._wanted, devices)
        except SourceError:
            if self._known_as is None or not any(device.name == self._known_as for device in devices):
                raise
        else:
            if self._known_as in (None, device.name):
                return device
        return find_device(self._known_as, devices)

    def _tell_differences(self, capture: Any) -> None:
        differences = _differences(capture, self._options)
        if differences and differences != self._reported:
            self._report(f"{self.label}: {differences}")
        self._reported = differences


class V4l2Capture:
    """An opened camera. Pictures stay as the camera sent them until somebody takes them."""

    def __init__(self, label: str, capture: Any) -> None:
        self._label, self._capture = label, capture
        self.fps = plausible_fps(capture)
        self._to_rgb = _decoder(capture)

    def grab(self) -> Grabbed:
        """Wait for the next picture."""
        started_s = time.monotonic()
        arrived, raw = self._capture.read()
        now_s = time.monotonic()
        if not arrived or raw is None:
            silent = now_s - started_s > 0.8 * _SELECT_TIMEOUT_S
            what = f"no frame for {_SELECT_TIMEOUT_S} s" if silent else "gives no more frames"
            raise SourceError(f"{self._label}: {what}; check the cable and the power supply")
        return Grabbed(partial(self._to_rgb, raw), _stamp_s(self._capture, now_s))

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()


def _request(capture: Any, options: SourceOptions) -> None:
    for code in (options.pixel_format,) if options.pixel_format else _PREFERRED:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*code.ljust(4)))
        if _pixel_format(capture) == code:
            break
    if options.size:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, options.size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, options.size[1])
    if options.rate:
        capture.set(cv2.CAP_PROP_FPS, options.rate)


def _differences(capture: Any, options: SourceOptions) -> str:
    """Return what the camera gives in place of what was asked for, or nothing."""
    width, height = (round(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    fps, pixel_format = plausible_fps(capture), _pixel_format(capture)
    found: list[str] = []
    if options.size not in (None, (width, height)):
        found.append(f"{width}x{height} in place of {options.size[0]}x{options.size[1]}")
    if options.rate and fps and abs(fps - options.rate) > 0.01 * options.rate + 0.5:
        found.append(f"{fps:g} frames per second in place of {options.rate:g}")
    if options.pixel_format not in (None, pixel_format):
        found.append(f"{pixel_format} in place of {options.pixel_format}")
    return f"gives {', '.join(found)}; v4l2-ctl --list-formats-ext lists what it can" if found else ""


def _decoder(capture: Any) -> Callable[[Any], RgbImage]:
    """Return how this camera's pictures become RGB, and keep OpenCV from decoding those that nobody takes."""
    pixel_format = _pixel_format(capture)
    if pixel_format in ("MJPG", "JPEG", *_TO_RGB) and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0):
        return _jpeg_to_rgb if pixel_format in ("MJPG", "JPEG") else partial(_colours_to_rgb, _TO_RGB[pixel_format])
    return partial(_colours_to_rgb, cv2.COLOR_BGR2RGB)


def _jpeg_to_rgb(raw: Any) -> RgbImage:
    return decode_jpeg(np.ascontiguousarray(raw).tobytes())


def _colours_to_rgb(conversion: int, raw: Any) -> RgbImage:
    return np.asarray(cv2.cvtColor(raw, conversion), np.uint8)


def _pixel_format(capture: Any) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    return code.to_bytes(4, "little").decode("ascii", "replace").strip("\0 ")


def _stamp_s(capture: Any, now_s: float) -> float:
    """Return the driver's time stamp, which is CLOCK_MONOTONIC for all but old drivers, else now."""
    stamp_s = float(capture.get(cv2.CAP_PROP_POS_MSEC)) / 1000
    return stamp_s if 0 <= now_s - stamp_s < _OLDEST_STAMP_S else now_s


def _why_closed(device: VideoDevice) -> str:
    if not os.access(device.path, os.R_OK | os.W_OK):
        return "may not be read by this user; type  sudo usermod -aG video $USER  and log in again"
    return (
        f"gives no video; another program may be using it:  fuser -v {device.path}  shows which, "
        "or it has no pixel format that OpenCV reads:  v4l2-ctl --list-formats  lists them"
    )


def _camera_name(wanted: str) -> str:
    if number := re.fullmatch(r"(?:/dev/video)?(\d+)", wanted):
        return f"camera{number[1]}"
    return re.sub(r"[^A-Za-z0-9]+", "_", wanted.removeprefix("/dev/")).strip("_") or "camera"
