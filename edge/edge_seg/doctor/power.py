"""Temperature, under-voltage and throttling of a Raspberry Pi."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT, read, read_number

UNDER_VOLTAGE = "under-voltage"
_REASONS = {0: UNDER_VOLTAGE, 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
_SINCE_BOOT_SHIFT = 16
_ASK_FIRMWARE = ("vcgencmd", "get_throttled")
_PATIENCE_S = 5


@dataclass(frozen=True)
class Throttling:
    """The firmware's `get_throttled` bits.

    https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
    """

    bits: int

    @property
    def now(self) -> tuple[str, ...]:
        """What holds the board back at this moment."""
        return self._reasons(0)

    @property
    def since_boot(self) -> tuple[str, ...]:
        """What held it back at any time since it was switched on."""
        return self._reasons(_SINCE_BOOT_SHIFT)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each reason with `now` or `since boot` behind it."""
        return (*(f"{text} now" for text in self.now), *(f"{text} since boot" for text in self.since_boot))

    def _reasons(self, shift: int) -> tuple[str, ...]:
        return tuple(reason for bit, reason in _REASONS.items() if self.bits >> (bit + shift) & 1)


def read_temperature_c(root: Path = ROOT) -> float | None:
    """Read the processor's temperature in °C, where the kernel tells it."""
    millidegrees = read_number(root / "sys/class/thermal/thermal_zone0/temp")
    return None if millidegrees is None else millidegrees / 1000


def ask_firmware() -> str:
    """Return what `vcgencmd get_throttled` prints, or nothing where it cannot be asked."""
    try:
        return subprocess.run(_ASK_FIRMWARE, capture_output=True, text=True, timeout=_PATIENCE_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def read_throttling(root: Path = ROOT, ask: Callable[[], str] = ask_firmware) -> Throttling | None:
    """Read the bits from sysfs, or ask the firmware; None on a board that has neither.

    The file is soc/soc:firmware/get_throttled up to the Pi 4 and lies below soc@107c000000 on the Pi 5. It holds
    a hexadecimal number without 0x, `vcgencmd` prints `throttled=0x50005`.
    """
    files = sorted((root / "sys/devices/platform").glob("soc*/*firmware*/get_throttled"))
    in_sysfs = next((found for file in files if (found := _parsed(read(file)))), None)
    return in_sysfs or _parsed(ask())


def _parsed(text: str) -> Throttling | None:
    try:
        return Throttling(int(text.strip().rpartition("=")[2], 16))
    except ValueError:
        return None
