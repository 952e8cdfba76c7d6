"""What processes cost: seconds of CPU time and memory, read from /proc (proc(5))."""

import os
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from time import monotonic

from edge_seg_bench.recording import Strict

_EVERY_S = 1.0
_UTIME, _STIME = 11, 12
"""Fields 14 and 15 of /proc/PID/stat, counted from the one behind the name."""


class Usage(Strict):
    """What a group of processes took."""

    cpu_percent: float
    """Mean over the time of watching; 100 is one core."""
    peak_rss_mb: float
    """The most that all of them held at one moment."""


class UsageMeter(threading.Thread):
    """Looks at groups of processes once a second; a group may lose and gain processes."""

    def __init__(self, groups: Callable[[], Mapping[str, Collection[int]]]) -> None:
        """Begin; `groups` gives the processes of each group whenever it is asked."""
        super().__init__(name="usage", daemon=True)
        self._groups, self._ended = groups, threading.Event()
        self._first_s: dict[int, float] = {}
        self._last_s: dict[int, float] = {}
        self._members: dict[str, set[int]] = {}
        self._peak_bytes: dict[str, int] = {}
        self._begun_s = monotonic()
        self._seconds = 0.0
        self.start()

    def run(self) -> None:
        """Look until `stop`."""
        while True:
            self._look()
            if self._ended.wait(_EVERY_S):
                return

    def stop(self) -> dict[str, Usage]:
        """Look a last time; return what each group took."""
        self._ended.set()
        self.join()
        self._look()
        return {name: self._usage(name) for name in self._members}

    def _look(self) -> None:
        self._seconds = monotonic() - self._begun_s
        for name, pids in self._groups().items():
            held = 0
            for pid in pids:
                cpu_s, rss_bytes = read_process(pid)
                held += rss_bytes
                self._members.setdefault(name, set()).add(pid)
                self._first_s.setdefault(pid, cpu_s)
                self._last_s[pid] = max(cpu_s, self._last_s.get(pid, 0.0))
            self._peak_bytes[name] = max(held, self._peak_bytes.get(name, 0))

    def _usage(self, name: str) -> Usage:
        cpu_s = sum(self._last_s[pid] - self._first_s[pid] for pid in self._members[name])
        cpu_percent = 100 * cpu_s / max(self._seconds, _EVERY_S)
        return Usage(cpu_percent=cpu_percent, peak_rss_mb=self._peak_bytes[name] / 1e6)


def read_process(pid: int) -> tuple[float, int]:
    """Return a process's CPU seconds and resident bytes; zeros when it has ended."""
    folder = Path("/proc") / str(pid)
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        pages = int((folder / "statm").read_text().split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0
    return (int(fields[_UTIME]) + int(fields[_STIME])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE")
