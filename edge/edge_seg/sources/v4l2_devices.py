"""The V4L2 devices of this machine, as sysfs lists them and the driver describes them."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import SourceError
from edge_seg.v4l2_ioctl import CAPTURES, query_capability

_CSI_DRIVERS = ("unicam", "bcm2835-unicam", "rp1-cfe", "bcm2835-isp", "pispbe")


@dataclass(frozen=True)
class VideoDevice:
    """One /dev/videoN."""

    path: Path
    name: str
    """As the driver gives it, such as 'HD Pro Webcam C920'; several devices of one camera share it."""
    driver: str = ""
    """The kernel driver: uvcvideo, unicam, vivid, …; empty where it may not be asked."""
    captures: bool = True
    """False for the metadata device of a camera, an encoder, an output."""

    @property
    def is_csi(self) -> bool:
        """Whether it belongs to a Raspberry Pi's CSI camera, which gives raw sensor data only."""
        return self.driver.startswith(_CSI_DRIVERS)


def query(path: Path) -> tuple[str, bool] | None:
    """Ask a device for its driver's name and whether it captures video; None where it may not be asked."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        driver, _, capabilities = query_capability(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return driver, bool(capabilities & CAPTURES)


def video_devices(
    root: Path = Path("/"), ask: Callable[[Path], tuple[str, bool] | None] = query
) -> tuple[VideoDevice, ...]:
    """List /dev/video*, in numeric order."""
    paths = [path for path in (root / "dev").glob("video*") if path.name[5:].isdecimal()]
    return tuple(_device(root, path, ask) for path in sorted(paths, key=lambda path: int(path.name[5:])))


def find_device(wanted: str, devices: Sequence[VideoDevice]) -> VideoDevice:
    """Find a camera by number, path (also a link such as /dev/v4l/by-id/…) or name; part of a name will do.

    Raises:
        SourceError: there is none, several have the name, or it is no camera that OpenCV can read.
    """
    if wanted.isdecimal() or wanted.startswith("/"):
        return _checked(_by_path(wanted, devices), devices)
    named = _by_name(wanted, devices)
    if not named:
        raise SourceError(f"{wanted}: no camera of that name; {devices_sentence(devices)}")
    if len({device.name for device in named}) > 1:
        raise SourceError(f"{wanted}: several cameras have that in their name; {devices_sentence(named)}")
    return _checked(named[0], devices)


def devices_sentence(devices: Sequence[VideoDevice]) -> str:
    """Return what cameras there are."""
    listed = ", ".join(f"{device.path} ({device.name})" for device in devices if device.captures and not device.is_csi)
    return (
        f"this machine has {listed}"
        if listed
        else "this machine has no USB camera: plug one in (a Raspberry Pi's CSI camera is picamera:0)"
    )


def _device(root: Path, path: Path, ask: Callable[[Path], tuple[str, bool] | None]) -> VideoDevice:
    try:
        name = (root / "sys/class/video4linux" / path.name / "name").read_text("utf-8", "replace").strip()
    except OSError:
        name = path.name
    driver, captures = ask(path) or ("", True)
    return VideoDevice(path, name, driver, captures)


def _by_path(wanted: str, devices: Sequence[VideoDevice]) -> VideoDevice:
    path = Path(f"/dev/video{wanted}" if wanted.isdecimal() else wanted)
    found = [device for device in devices if device.path == path or device.path.resolve() == path.resolve()]
    if not found:
        raise SourceError(f"{path}: no such camera; {devices_sentence(devices)}")
    return found[0]


def _by_name(wanted: str, devices: Sequence[VideoDevice]) -> list[VideoDevice]:
    cameras = [device for device in devices if device.captures]
    exact = [device for device in cameras if device.name.casefold() == wanted.casefold()]
    return exact or [device for device in cameras if wanted.casefold() in device.name.casefold()]


def _checked(device: VideoDevice, devices: Sequence[VideoDevice]) -> VideoDevice:
    if device.is_csi:
        number = re.sub(r"\D", "", device.path.name)
        raise SourceError(
            f"{device.path}: belongs to a Raspberry Pi CSI camera (driver {device.driver}), which gives OpenCV raw "
            f"sensor data and no picture; type  edge-seg camera --source picamera:0  (--source {number} is for USB)"
        )
    if not device.captures:
        siblings = [other for other in devices if other.name == device.name and other.captures]
        cure = f"give {siblings[0].path}" if siblings else devices_sentence(devices)
        raise SourceError(f"{device.path}: a device of '{device.name}' that gives no pictures; {cure}")
    return device
