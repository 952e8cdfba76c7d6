"""What a /dev/video* node says of itself: Video4Linux 2 by ioctl.

Own structures, because v4l2-ctl may be absent and the Python bindings are under the GPL. Everything here is
laid out alike on 32 and 64 bits. https://docs.kernel.org/userspace-api/media/v4l/user-func.html
"""

import ctypes
import errno
import fcntl
from collections.abc import Callable, Iterator
from ctypes import c_char, c_uint32
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, TypeVar

_CAPTURE, _CAPTURE_MPLANE = 1, 9  # enum v4l2_buf_type
_DISCRETE_SIZE = 1
_MOST_ENTRIES = 256


class Capability(IntFlag):
    """V4L2_CAP_*: what a node does."""

    VIDEO_CAPTURE = 0x1
    VIDEO_OUTPUT = 0x2
    VIDEO_CAPTURE_MPLANE = 0x1000
    VIDEO_OUTPUT_MPLANE = 0x2000
    VIDEO_M2M_MPLANE = 0x4000
    VIDEO_M2M = 0x8000
    META_CAPTURE = 0x800000
    STREAMING = 0x4000000
    DEVICE_CAPS = 0x80000000


CAPTURES = Capability.VIDEO_CAPTURE | Capability.VIDEO_CAPTURE_MPLANE


class QueryCapability(ctypes.Structure):
    """`struct v4l2_capability`."""

    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(ctypes.Structure):
    """`struct v4l2_fmtdesc`."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FrameSize(ctypes.Structure):
    """`struct v4l2_frmsizeenum`; of the union the six numbers of `v4l2_frmsize_stepwise`.

    The first two are width and height when the size is a discrete one, else smallest and largest width, step,
    smallest and largest height, step.
    """

    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("numbers", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )


def _request(direction: int, number: int, structure: type[ctypes.Structure]) -> int:
    """Encode a request as _IOR and _IOWR do; the same on x86 and ARM."""
    return direction << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


VIDIOC_QUERYCAP = _request(2, 0, QueryCapability)
VIDIOC_ENUM_FMT = _request(3, 2, FormatDescription)
VIDIOC_ENUM_FRAMESIZES = _request(3, 74, FrameSize)

Ioctl = Callable[[int, int, ctypes.Structure], Any]
"""Called with descriptor, request, and the structure it fills; raises OSError (EINVAL behind the last entry)."""


@dataclass(frozen=True)
class PixelFormat:
    """One pixel format of a node."""

    fourcc: str
    """Such as MJPG or YUYV."""
    sizes: tuple[str, ...]
    """Such as '640×480', largest first; of a node that scales '16×16 to 1920×1080'."""


@dataclass(frozen=True)
class Node:
    """What a node says of itself."""

    driver: str
    card: str
    capabilities: Capability
    formats: tuple[PixelFormat, ...]


def query_node(descriptor: int, ioctl: Ioctl = fcntl.ioctl) -> Node:
    """Ask an open node for its name, abilities, pixel formats and frame sizes.

    Raises:
        OSError: not a V4L2 device, or it was unplugged.
    """
    driver, card, capabilities = query_capability(descriptor, ioctl)
    return Node(driver, card, capabilities, tuple(_formats(descriptor, capabilities, ioctl)))


def query_capability(descriptor: int, ioctl: Ioctl = fcntl.ioctl) -> tuple[str, str, Capability]:
    """Ask an open node for its driver, its name, and what it, of all nodes of its device, does.

    Raises:
        OSError: not a V4L2 device, or it was unplugged.
    """
    answer = QueryCapability()
    ioctl(descriptor, VIDIOC_QUERYCAP, answer)
    whole = Capability(answer.capabilities)
    own = Capability(answer.device_caps) if whole & Capability.DEVICE_CAPS else whole
    return _text(answer.driver), _text(answer.card), own


def _formats(descriptor: int, capabilities: Capability, ioctl: Ioctl) -> Iterator[PixelFormat]:
    if not capabilities & CAPTURES:
        return
    kind = _CAPTURE if capabilities & Capability.VIDEO_CAPTURE else _CAPTURE_MPLANE
    for entry in _enumerate(descriptor, VIDIOC_ENUM_FMT, lambda: FormatDescription(type=kind), ioctl):
        yield PixelFormat(fourcc(entry.pixelformat), tuple(_sizes(descriptor, entry.pixelformat, ioctl)))


def _sizes(descriptor: int, pixel_format: int, ioctl: Ioctl) -> list[str]:
    entries = _enumerate(descriptor, VIDIOC_ENUM_FRAMESIZES, lambda: FrameSize(pixel_format=pixel_format), ioctl)
    discrete = {(entry.numbers[0], entry.numbers[1]) for entry in entries if entry.type == _DISCRETE_SIZE}
    if discrete:
        return [f"{width}×{height}" for width, height in sorted(discrete, key=lambda size: -size[0] * size[1])]
    return [f"{w[0]}×{w[3]} to {w[1]}×{w[4]}" for w in (list(entry.numbers) for entry in entries)]


S = TypeVar("S", FormatDescription, FrameSize)


def _enumerate(descriptor: int, request: int, blank: Callable[[], S], ioctl: Ioctl) -> list[S]:
    """Collect the entries of an enumeration, which ends with EINVAL, or with ENOTTY where there is none."""
    entries: list[S] = []
    for index in range(_MOST_ENTRIES):
        entry = blank()
        entry.index = index
        try:
            ioctl(descriptor, request, entry)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                break
            raise
        entries.append(entry)
    return entries


def fourcc(number: int) -> str:
    """Spell a pixel format out: four characters, the lowest byte first; bit 31 marks big-endian variants."""
    return (number & 0x7FFFFFFF).to_bytes(4, "little").decode("latin-1").strip()


def _text(field: bytes) -> str:
    return field.decode("utf-8", errors="replace").strip()
