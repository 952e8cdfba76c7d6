"""What a running process holds, read from /proc: memory, descriptors, threads (proc(5))."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_PARTS = 10


@dataclass(frozen=True)
class Sample:
    """What a process held at one moment."""

    seconds: float
    """Since the first sample."""
    rss_bytes: int
    descriptors: int
    threads: int


def read_sample(pid: int, seconds: float) -> Sample | None:
    """Return what process `pid` holds now; None when it has ended."""
    folder = Path("/proc") / str(pid)
    try:
        lines = (line.partition(":") for line in (folder / "status").read_text().splitlines())
        status = {name: rest.split() for name, _, rest in lines}
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if "VmRSS" not in status:  # a zombie holds nothing
        return None
    return Sample(seconds, int(status["VmRSS"][0]) * 1024, descriptors, int(status["Threads"][0]))


class Sampler(threading.Thread):
    """Samples a process until it ends."""

    def __init__(self, pid: int, interval_s: float) -> None:
        super().__init__(name="sampler", daemon=True)
        self.samples: list[Sample] = []
        self._pid, self._interval_s = pid, interval_s
        self.start()

    def run(self) -> None:
        """Sample every `interval_s`."""
        started = time.monotonic()
        while (sample := read_sample(self._pid, time.monotonic() - started)) is not None:
            self.samples.append(sample)
            time.sleep(self._interval_s)


def growth(values: Sequence[float]) -> float:
    """Return by how much values grew after the warm-up: median of the last tenth less that of the second.

    Raises:
        ValueError: fewer than ten values.
    """
    if len(values) < _PARTS:
        raise ValueError(f"{len(values)} values are too few to tell growth; ten at least")
    parts = np.array_split(np.asarray(values, dtype=np.float64), _PARTS)
    return float(np.median(parts[-1]) - np.median(parts[1]))
