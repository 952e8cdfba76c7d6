"""Tell systemd that the camera is up and alive: the protocol of sd_notify(3).

systemd restarts a service that is silent for WatchdogSec. So that a camera which hangs is silent, no timer
thread speaks for it: only results that came through do, and a source that is looking for its camera.
"""

import os
import socket
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Protocol

from edge_seg.result import Result

_PINGS_PER_WATCHDOG = 4
_STATUS_EVERY_S = 5.0
_MORE_TIME_TO_START = "EXTEND_TIMEOUT_USEC=60000000"


class Notify(Protocol):
    """Something that takes sd_notify's assignments."""

    def __call__(self, *assignments: str) -> None:
        """Send them together, such as "READY=1"."""
        ...


def notifier(address: str) -> Notify:
    """Return a function that sends datagrams to systemd.

    Args:
        address: as in $NOTIFY_SOCKET: a path, or @ and a name in the abstract namespace.
    """
    where = "\0" + address[1:] if address.startswith("@") else address

    def notify(*assignments: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            try:
                sender.sendto("\n".join(assignments).encode(), socket.MSG_DONTWAIT, where)
            except OSError:  # nobody listens or systemd is behind: the camera goes on, the next ping says the same
                return

    return notify


def ignore(*_: str) -> None:
    """Send nothing: not started by systemd."""


class Heartbeat:
    """What the camera does, told to systemd a few times per watchdog period.

    May be called from several threads. The first result makes the service ready; until then `beat` asks for
    more time, so that a service whose camera is unplugged goes on looking for it.
    """

    def __init__(
        self, notify: Notify = ignore, watchdog_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._notify, self._clock = notify, clock
        self.interval_s = min(_STATUS_EVERY_S, (watchdog_s or float("inf")) / _PINGS_PER_WATCHDOG)
        self._ready = False
        self._due = -float("inf")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ, pid: int | None = None) -> "Heartbeat":
        """Read $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID; silent where systemd set none for this process."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        period = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", "") in ("", str(pid or os.getpid()))
        return cls(notifier(address), int(period) / 1e6 if period.isdecimal() and ours else None)

    def observe(self, result: Result) -> None:
        """Take a result as the sign of life that it is; an observer of `run_pipeline`."""
        if not self._ready or self._clock() >= self._due:
            self._ready = True
            self._say("READY=1", "WATCHDOG=1", f"STATUS={_status(result)}")  # READY again, lest the first was lost

    def beat(self, doing: str) -> None:
        """Say that there are no results for a known reason, such as 'waiting for /dev/video0'.

        To be called by what waits or tries again, each time it does: never from a timer.
        """
        if self._clock() >= self._due:
            self._say("WATCHDOG=1" if self._ready else _MORE_TIME_TO_START, f"STATUS={_one_line(doing)}")

    def stopping(self) -> None:
        """Say that the camera is closing its files."""
        self._notify("STOPPING=1", "STATUS=closing files")

    def _say(self, *assignments: str) -> None:
        self._due = self._clock() + self.interval_s
        self._notify(*assignments)


@contextmanager
def heartbeat() -> Generator[Heartbeat]:
    """Give the heartbeat of this process; a run that ends by itself or by an error says that it stops."""
    ours = Heartbeat.from_environment()
    try:
        yield ours
    finally:
        ours.stopping()


def _status(result: Result) -> str:
    segmentation = result.segmentation
    shares = sorted(segmentation.area_share.items(), key=lambda item: -item[1])[:3]
    return (
        f"{result.fps:.1f} fps, {segmentation.latency_ms:.0f} ms, {result.dropped} dropped; "
        f"{', '.join(f'{_one_line(name)} {share:.0%}' for name, share in shares)}"
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
