"""What machine this is, from the kernel's own files."""

import os
import platform
from pathlib import Path

from edge_seg_bench.recording import Machine


def describe_machine(root: Path = Path("/")) -> Machine:
    """Describe this machine; `root` is the folder that holds proc, sys and etc."""
    return Machine(
        cpu_model=_cpu_model(_read(root / "proc/cpuinfo") or "") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        architecture=platform.machine(),
        os=_os_name(_read(root / "etc/os-release") or "") or platform.platform(),
        python=platform.python_version(),
        board=_read(root / "proc/device-tree/model"),
        cpu_governor=_read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        load_average=round(os.getloadavg()[0], 2),
        host=platform.node() or None,
        kernel=platform.release(),
        memory_bytes=_memory_bytes(_read(root / "proc/meminfo") or ""),
    )


def busy_note(machine: Machine) -> str | None:
    """Return a sentence when other programs used the processor before the measurement, else None."""
    if machine.load_average is None or machine.load_average < 0.5:
        return None
    return (
        f"the machine was busy before it started (load {machine.load_average:.1f} on {machine.cores} cores): "
        "compare ratios and intervals, not milliseconds."
    )


def _cpu_model(cpuinfo: str) -> str | None:
    """Return the model name, or on ARM, whose kernels seldom write one, the name of the CPU part."""
    fields: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    if "model name" in fields:
        return fields["model name"]
    return _ARM_PARTS.get(fields.get("CPU part", "")) or fields.get("Model")


# CPU parts of Raspberry Pi boards, implementer 0x41 (Arm Ltd.), as in util-linux's lscpu-arm.c.
_ARM_PARTS = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
}


def _memory_bytes(meminfo: str) -> int | None:
    """Return MemTotal of /proc/meminfo (proc_meminfo(5))."""
    for line in meminfo.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _os_name(os_release: str) -> str | None:
    for line in os_release.splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ") or None
    except OSError:
        return None
