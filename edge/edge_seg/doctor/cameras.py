"""The cameras of this machine: V4L2 nodes told apart, and what libcamera sees."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT, read
from edge_seg.v4l2_ioctl import CAPTURES, Capability, Node, PixelFormat, query_node

_CSI_RECEIVERS = frozenset({"unicam", "rp1-cfe", "bcm2835-unicam"})
_IMAGE_PROCESSORS = frozenset({"bcm2835-isp", "pispbe", "rpi-hevc-dec", "rpivid"})
_CONVERTS = Capability.VIDEO_M2M | Capability.VIDEO_M2M_MPLANE
_PATIENCE_S = 30
_ASK_LIBCAMERA = "import json, picamera2; print(json.dumps(picamera2.Picamera2.global_camera_info()))"


class Role(StrEnum):
    """What a /dev/video* node is for."""

    CAMERA = "camera"
    CSI = "CSI receiver"
    """Raw data of a ribbon-cable camera: pictures come from it through libcamera alone."""
    METADATA = "metadata"
    CONVERTER = "converter"
    """A codec or image processor."""
    OUTPUT = "output"
    REFUSED = "refused"
    """This user may not open it."""
    SILENT = "no answer"


@dataclass(frozen=True)
class VideoNode:
    """A /dev/video* node."""

    path: str
    name: str
    driver: str
    role: Role
    formats: tuple[PixelFormat, ...] = ()


@dataclass(frozen=True)
class Libcamera:
    """What picamera2 answers in this Python."""

    importable: bool
    cameras: tuple[str, ...] = ()
    """Sensor names, such as 'imx708'."""
    error: str = ""
    """The last line of what importing it printed."""
    installed_for_system: bool = False
    """The system's Python has it, whether or not this one sees it."""


def read_video_nodes(root: Path = ROOT, query: Callable[[int], Node] = query_node) -> tuple[VideoNode, ...]:
    """Open each /dev/video* below `root` and ask it; names of those that refuse come from /sys."""
    nodes = [path for path in (root / "dev").glob("video*") if path.name.removeprefix("video").isdecimal()]
    return tuple(_read_node(path, root, query) for path in sorted(nodes, key=lambda path: int(path.name[5:])))


def _read_node(path: Path, root: Path, query: Callable[[int], Node]) -> VideoNode:
    shown = f"/{path.relative_to(root)}"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        try:
            node = query(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        refused = error.errno in (errno.EACCES, errno.EPERM)
        name = read(root / "sys/class/video4linux" / path.name / "name")
        return VideoNode(shown, name, "", Role.REFUSED if refused else Role.SILENT)
    return VideoNode(shown, node.card, node.driver, role_of(node), node.formats)


def role_of(node: Node) -> Role:
    """Tell what a node is for: one USB camera has two, a Raspberry Pi a dozen that are no camera."""
    if node.driver in _CSI_RECEIVERS and node.capabilities & CAPTURES:
        return Role.CSI
    if node.driver in _IMAGE_PROCESSORS or node.capabilities & _CONVERTS:
        return Role.CONVERTER
    if node.capabilities & CAPTURES:
        return Role.CAMERA
    return Role.METADATA if node.capabilities & Capability.META_CAPTURE else Role.OUTPUT


def read_libcamera(root: Path = ROOT) -> Libcamera:
    """Import picamera2 in a process of its own, since a clash of binaries may end it, and list its cameras."""
    for_system = (root / "usr/lib/python3/dist-packages/picamera2").is_dir()
    if find_spec("picamera2") is None:
        return Libcamera(False, installed_for_system=for_system)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK_LIBCAMERA], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Libcamera(False, error=f"no answer within {_PATIENCE_S} s", installed_for_system=for_system)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Libcamera(False, error=last, installed_for_system=for_system)
    return Libcamera(True, camera_models(done.stdout), installed_for_system=for_system)


def camera_models(printed: str) -> tuple[str, ...]:
    """Read the sensor names off what `Picamera2.global_camera_info()` gave as JSON, on the last line."""
    lines = printed.strip().splitlines()
    return tuple(str(camera["Model"]) for camera in json.loads(lines[-1])) if lines else ()
