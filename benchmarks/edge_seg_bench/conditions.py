"""The board while it is measured: load, temperature, clock, throttling and energy, read around each block."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Event, Thread
from time import monotonic

from edge_seg.doctor.kernel_files import ROOT, key_values, read
from edge_seg.doctor.power import Throttling, ask_firmware, read_temperature_c, read_throttling
from edge_seg_bench.energy import Meter, Reading, find_meter
from edge_seg_bench.results import Conditions

_MHZ_PER_KHZ = 1e-3
_SAMPLE_INTERVAL_S = 0.1
"""A Raspberry Pi is asked by starting a program, once for throttling and once for power: seldom, since it takes time
of a core that may be measured. How much that is, no board has shown yet."""


@dataclass
class BlockSeen:
    """What was seen around one block; complete when the block is over."""

    before: Conditions
    after: Conditions
    throttled: bool = False
    """Held back at a moment of the block, not just once since the board was switched on."""
    energy_j: float | None = None
    """Of all that the meter sees, waiting workers and the operating system included."""


class Watch:
    """Reads the board; `root` is the folder that holds proc and sys, `ask` runs `vcgencmd get_throttled`."""

    def __init__(self, root: Path = ROOT, ask: Callable[[], str] = ask_firmware) -> None:
        self._root = root
        self._ask = ask

    @cached_property
    def meter(self) -> Meter | None:
        """The board's meter of energy, if it has one."""
        return find_meter(self._root)

    def available_bytes(self) -> int | None:
        """Return how much memory programs may still take (MemAvailable of /proc/meminfo)."""
        words = key_values(read(self._root / "proc/meminfo"), ":").get("MemAvailable", "").split()
        return int(words[0]) * 1024 if words else None

    def read(self) -> Conditions:
        """Return the conditions now."""
        return self._conditions(self._throttling())

    @contextmanager
    def block(self) -> Generator[BlockSeen]:
        """Watch the board during a block; its end, not what follows, ends the energy."""
        bits = [self._throttling()]
        before = self._conditions(bits[0])
        readings = [self.meter.read() if self.meter else None]  # last, so that a counter counts the block alone
        seen, start_s, end_s = BlockSeen(before, before), monotonic(), 0.0
        with self._sampling(bits, readings):
            yield seen
            end_s = monotonic()
        readings.append(self.meter.read() if self.meter else None)
        bits.append(self._throttling())
        seen.after = self._conditions(bits[-1])
        seen.throttled = was_held_back([known for known in bits if known])
        if self.meter:
            seen.energy_j = self.meter.energy_j([reading for reading in readings if reading], start_s, end_s)

    @contextmanager
    def _sampling(self, bits: list[Throttling | None], readings: list[Reading | None]) -> Generator[None]:
        """Read what the board tells again and again, in a thread; a board that tells nothing is left in peace."""
        if bits[0] is None and self.meter is None:
            yield
            return
        over = Event()

        def sample() -> None:
            while not over.wait(_SAMPLE_INTERVAL_S):
                bits.append(self._throttling())
                readings.append(self.meter.read() if self.meter else None)

        thread = Thread(target=sample, name="board sampler", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _throttling(self) -> Throttling | None:
        return read_throttling(self._root, self._ask)

    def _conditions(self, bits: Throttling | None) -> Conditions:
        return Conditions(
            load_average=round(os.getloadavg()[0], 2),
            temperature_c=read_temperature_c(self._root),
            clock_mhz=read_clock_mhz(self._root),
            throttling=None if bits is None else bits.sentences,
        )


def was_held_back(bits: Sequence[Throttling]) -> bool:
    """Tell from readings in order whether the board was held back: at one of them, or since the first."""
    if not bits:
        return False
    return any(reading.now for reading in bits) or set(bits[-1].since_boot) > set(bits[0].since_boot)


def read_clock_mhz(root: Path = ROOT) -> float | None:
    """Return the clock of the fastest core, from cpufreq or, where that is absent, /proc/cpuinfo (x86)."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
    clocks_mhz = [khz * _MHZ_PER_KHZ for file in files if (khz := _number(read(file))) is not None]
    return max(clocks_mhz or _cpuinfo_mhz(read(root / "proc/cpuinfo")), default=None)


def _cpuinfo_mhz(cpuinfo: str) -> list[float]:
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    found = (_number(value) for name, _, value in pairs if name.strip() == "cpu MHz")
    return [clock_mhz for clock_mhz in found if clock_mhz]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
