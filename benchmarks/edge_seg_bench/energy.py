"""Meters of the energy of a block: the power manager of a Raspberry Pi 5, and RAPL of x86 processors.

Both see the whole board or processor: what the operating system and waiting programs draw is in their figures.
"""

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import monotonic

from edge_seg.doctor.kernel_files import ROOT, read, read_number

_PMIC_COMMAND = ("vcgencmd", "pmic_read_adc")
_PATIENCE_S = 5
_RAIL = re.compile(r"^\s*(\w+)_([AV])\s+(?:current|volt)\(\d+\)=(\d+\.\d+)[AV]\s*$", re.MULTILINE)
_RAPL_PACKAGE = "sys/class/powercap/intel-rapl:0"
_JOULES_PER_MICROJOULE = 1e-6


@dataclass(frozen=True)
class Reading:
    """What a meter showed at a time of `time.monotonic`: watts or joules, as the meter has it."""

    time_s: float
    value: float


@dataclass(frozen=True)
class Meter:
    """One way to learn how much energy a block took."""

    name: str
    """What it measures, for the reader of a result."""
    read: Callable[[], Reading | None]
    """Read it now; None when it does not answer."""
    energy_j: Callable[[Sequence[Reading], float, float], float | None]
    """Return joules from readings taken before, during and after a block, its start and its end in seconds."""


def find_meter(root: Path = ROOT) -> Meter | None:
    """Return the meter of this board, or None; `root` is the folder that holds sys."""
    return _pmic() or _rapl(root / _RAPL_PACKAGE)


def pmic_power_w(text: str) -> float | None:
    """Return the watts that `vcgencmd pmic_read_adc` shows: the sum over the rails of volts times amperes.

    A rail is a line `VDD_CORE_A current(7)=0.92871990A` and a line `VDD_CORE_V volt(15)=0.72097620V`; the numbers in
    brackets are the converter's channels. EXT5V and BATT have volts alone and are left out, and with them all that
    5 V feeds past the chip: USB devices, HATs, NVMe (https://github.com/jfikar/RPi5-power). None without a rail.
    https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
    """
    values = {(rail, unit): float(value) for rail, unit, value in _RAIL.findall(text)}
    powers_w = [value * values[rail, "V"] for (rail, unit), value in values.items() if _is_current(rail, unit, values)]
    return sum(powers_w) if powers_w else None


def integrated_j(readings: Sequence[Reading], start_s: float, end_s: float) -> float | None:
    """Integrate watts by trapezoids over a block, with the outermost reading held to its ends.

    Readings before and after the block are left out: they show the waiting board. None when none is left.
    """
    inside = [reading for reading in readings if start_s <= reading.time_s <= end_s]
    if not inside:
        return None
    ends = [Reading(start_s, inside[0].value), *inside, Reading(end_s, inside[-1].value)]
    return sum((after.time_s - before.time_s) * (before.value + after.value) / 2 for before, after in pairwise(ends))


def counted_j(readings: Sequence[Reading], range_j: float) -> float | None:
    """Return how far a counter of joules went, which starts again at 0 after `range_j`; None without two readings."""
    if len(readings) < 2:
        return None
    difference_j = readings[-1].value - readings[0].value
    return difference_j if difference_j >= 0 else difference_j + range_j


def _is_current(rail: str, unit: str, values: dict[tuple[str, str], float]) -> bool:
    return unit == "A" and (rail, "V") in values


def _pmic() -> Meter | None:
    meter = Meter("PMIC rails of the board, without what hangs on 5 V", _read_pmic, integrated_j)
    return None if meter.read() is None else meter


def _read_pmic() -> Reading | None:
    power_w = pmic_power_w(_ask_pmic())
    return None if power_w is None else Reading(monotonic(), power_w)


def _ask_pmic() -> str:
    try:
        return subprocess.run(_PMIC_COMMAND, capture_output=True, text=True, timeout=_PATIENCE_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _rapl(package: Path) -> Meter | None:
    """Return the counter of the first processor package; Linux lets only root read it since 5.10.

    https://www.kernel.org/doc/html/latest/power/powercap/powercap.html
    """

    def read_counter() -> Reading | None:
        counted_uj = read_number(package / "energy_uj")
        return None if counted_uj is None else Reading(monotonic(), counted_uj * _JOULES_PER_MICROJOULE)

    range_j = (read_number(package / "max_energy_range_uj") or 0) * _JOULES_PER_MICROJOULE
    name = f"RAPL {read(package / 'name')} of the processor, without the rest of the machine"
    meter = Meter(name, read_counter, lambda readings, _start_s, _end_s: counted_j(readings, range_j))
    return None if meter.read() is None else meter
