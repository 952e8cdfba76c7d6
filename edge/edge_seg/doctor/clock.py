"""Whether the clock is right: a Raspberry Pi has none that runs while it is off."""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT

_TIME_ERROR = 5
_TIMEX_BYTES = 1024  # more than struct timex takes on any architecture


@dataclass(frozen=True)
class Clock:
    """The wall clock, which time stamps and file names come from."""

    synchronised: bool
    """A time server set it, and recently enough."""
    battery_backed: bool
    """There is a real-time clock, which may still lack its battery."""


def kernel_synchronised() -> bool:
    """Ask the kernel, whichever program keeps the time: adjtimex(2) returns TIME_ERROR for an unsynchronised clock."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)) not in (_TIME_ERROR, -1)


def read_clock(root: Path = ROOT, synchronised: Callable[[], bool] = kernel_synchronised) -> Clock:
    """Ask the kernel, and systemd-timesyncd by its file in /run below `root`."""
    by_timesyncd = (root / "run/systemd/timesync/synchronized").exists()
    return Clock(by_timesyncd or synchronised(), (root / "sys/class/rtc/rtc0").exists())
