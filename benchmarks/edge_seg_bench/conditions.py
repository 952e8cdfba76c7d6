"""The board while it is measured: load, temperature, clock, throttling and energy, read around each block."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_seg import machine
from edge_seg_bench.results import Conditions

_MHZ_PER_KHZ = 1e-3


@dataclass
class BlockSeen:
    """What was seen around one block; complete when the block is over."""

    before: Conditions
    after: Conditions
    throttled: bool = False
    energy_j: float | None = None


class Watch:
    """Reads the board; `root` is the folder that holds proc and sys."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root

    def read(self) -> Conditions:
        """Return the conditions now."""
        return Conditions(
            load_average=round(os.getloadavg()[0], 2),
            temperature_c=machine.temperature_c(self._root),
            clock_mhz=_clock_mhz(self._root),
            throttling=machine.throttling(self._root),
        )

    @contextmanager
    def block(self) -> Generator[BlockSeen]:
        """Watch the board during a block."""
        before = self.read()
        seen = BlockSeen(before, before)
        yield seen
        seen.after = self.read()
        seen.throttled = bool(seen.after.throttling)


def _clock_mhz(root: Path) -> float | None:
    """Return the clock of the fastest core, from cpufreq."""
    clocks = [_number(path) for path in root.glob("sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")]
    known = [clock for clock in clocks if clock is not None]
    return max(known) * _MHZ_PER_KHZ if known else None


def _number(path: Path) -> float | None:
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
