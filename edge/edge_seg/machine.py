"""What this machine is and has, read without changing anything."""

import importlib.util
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edge_seg.extras import EXTRAS, missing_module

_RUNTIMES = {
    "litert": ("ai_edge_litert", "ai-edge-litert"),
    "tflite_runtime": ("tflite_runtime", "tflite-runtime"),
}
_THROTTLE_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


def python_and_system() -> dict[str, str]:
    """Python, operating system, processor and board."""
    return {
        "python": f"{platform.python_version()} ({sys.executable})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": f"{cpu_model()}, {os.cpu_count()} cores",
        "board": board_model() or "not a device-tree board",
    }


def cpu_model() -> str:
    """The processor's name as /proc/cpuinfo gives it."""
    lines = _read("/proc/cpuinfo").splitlines()
    for key in ("model name", "Model", "Hardware", "CPU part"):
        for line in lines:
            if line.startswith(key):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def board_model() -> str:
    """The board's name, such as 'Raspberry Pi 5 Model B Rev 1.0'; empty on a PC."""
    return _read("/proc/device-tree/model").strip("\0 \n")


def runtime_versions() -> dict[str, str]:
    """Version of each inference runtime, empty where it is not installed."""
    return {name: _version_of(*packages) for name, packages in _RUNTIMES.items()}


def extras_installed() -> dict[str, bool]:
    """Which of edge-seg's extras have their packages installed."""
    return {extra: missing_module(extra) is None for extra in EXTRAS if extra not in ("litert", "tflite-runtime")}


def temperature_c() -> float | None:
    """The processor's temperature in °C, where the kernel tells it."""
    text = _read("/sys/class/thermal/thermal_zone0/temp").strip()
    return int(text) / 1000 if text.lstrip("-").isdecimal() else None


def throttling() -> tuple[str, ...] | None:
    """What holds a Raspberry Pi back now or did since boot; None where that cannot be read."""
    for folder in Path("/sys/devices/platform/soc").glob("*firmware*"):
        text = _read(str(folder / "get_throttled")).strip()
        if text:
            return throttle_reasons(int(text, 16))
    return None


def throttle_reasons(bits: int) -> tuple[str, ...]:
    """Spell out the Raspberry Pi firmware's `get_throttled` bits.

    https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
    """
    now = [f"{reason} now" for bit, reason in _THROTTLE_BITS.items() if bits >> bit & 1]
    before = [f"{reason} since boot" for bit, reason in _THROTTLE_BITS.items() if bits >> (bit + 16) & 1]
    return (*now, *before)


def _version_of(module: str, distribution: str) -> str:
    if importlib.util.find_spec(module) is None:
        return ""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "version unknown"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
