"""Raspberry Pi CSI cameras through picamera2, which Raspberry Pi OS brings."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from edge_seg.errors import SourceError
from edge_seg.images import RgbImage
from edge_seg.sources.capture import LONGEST_SILENCE_S, Grabbed
from edge_seg.sources.options import SourceOptions

_DEFAULT_SIZE = (640, 480)
_BUFFERS = 4
_RGB_IN_MEMORY = "BGR888"  # picamera2 names formats backwards: "RGB888" has blue first (Picamera2 manual, appendix A)
_OLDEST_STAMP_S = 60.0


def load_picamera2() -> Any:
    """Import picamera2's class.

    Raises:
        SourceError: it is not installed, or not for this environment.
    """
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        from picamera2 import Picamera2  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    except (ImportError, ValueError) as error:  # ValueError: compiled for another NumPy
        raise SourceError(
            f"picamera: CSI cameras need picamera2, which cannot be imported here ({error}); type  "
            "sudo apt install python3-picamera2  and make the environment with  "
            "python3 -m venv --system-site-packages .venv"
        ) from None
    return Picamera2  # pyright: ignore[reportUnknownVariableType]


class PiCamera:
    """A CSI camera by its number or part of its sensor's name, as `rpicam-hello --list-cameras` shows them."""

    longest_silence_s = LONGEST_SILENCE_S

    def __init__(self, wanted: str, options: SourceOptions, load: Callable[[], Any] = load_picamera2) -> None:
        self._wanted, self._options, self._load = wanted or "0", options, load
        self.name, self.label = f"picamera{self._wanted}", f"picamera:{self._wanted}"

    def open(self) -> "PiCapture":
        """Configure and start the camera."""
        picamera2 = self._load()
        number = self._number(picamera2.global_camera_info())
        try:
            camera = picamera2(number)
        except (RuntimeError, IndexError) as error:
            raise SourceError(f"{self.label}: {error}; another program may be using the camera") from None
        try:
            rate = self._start(camera)
        except (RuntimeError, ValueError) as error:
            camera.close()
            raise SourceError(f"{self.label}: cannot be started ({error}); try another --size or --rate") from None
        return PiCapture(self.label, camera, rate)

    def _number(self, cameras: list[dict[str, Any]]) -> int:
        models = [str(camera.get("Model", "")) for camera in cameras]
        if self._wanted.isdecimal() and int(self._wanted) < len(models):
            return int(self._wanted)
        named = [number for number, model in enumerate(models) if self._wanted in model]
        if not self._wanted.isdecimal() and named:
            return named[0]
        there = ", ".join(f"picamera:{number} ({model})" for number, model in enumerate(models))
        raise SourceError(
            f"{self.label}: no such camera; libcamera sees {there or 'none'}, check the ribbon cable and "
            "what  rpicam-hello --list-cameras  says"
        )

    def _start(self, camera: Any) -> float | None:
        rate = self._options.rate
        configuration = camera.create_video_configuration(
            main={"size": self._options.size or _DEFAULT_SIZE, "format": _RGB_IN_MEMORY},
            controls={"FrameRate": rate} if rate else {},
            buffer_count=_BUFFERS,
        )
        camera.configure(configuration)
        camera.start()
        return rate


class PiCapture:
    """A running CSI camera."""

    def __init__(self, label: str, camera: Any, rate: float | None) -> None:
        self._label, self._camera = label, camera
        self.fps = rate

    def grab(self) -> Grabbed:
        """Wait for the next picture and copy it, so that the camera gets its buffer back."""
        job = self._camera.capture_request(wait=False)
        try:
            request = job.get_result(timeout=LONGEST_SILENCE_S)
        except (TimeoutError, RuntimeError):
            raise SourceError(
                f"{self._label}: no frame for {LONGEST_SILENCE_S:g} s; check the ribbon cable and the power supply"
            ) from None
        try:
            image = np.array(request.make_array("main"), np.uint8)
            stamp_ns = request.get_metadata().get("SensorTimestamp")
        finally:
            request.release()
        return Grabbed(partial(_as_is, image), _captured_s(stamp_ns))

    def close(self) -> None:
        """Stop the camera and let go of it."""
        self._camera.stop()
        self._camera.close()


def _as_is(image: RgbImage) -> RgbImage:
    return image


def _captured_s(stamp_ns: int | None) -> float:
    """Turn libcamera's SensorTimestamp (CLOCK_BOOTTIME, ns) into seconds of the monotonic clock."""
    now_s = time.monotonic()
    if stamp_ns is None:
        return now_s
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - stamp_ns / 1e9
    return now_s - age_s if 0 <= age_s < _OLDEST_STAMP_S else now_s
