"""What machine this is, from the kernel's own files."""

import os
import platform
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT, key_values, memory_bytes, read
from edge_seg_bench.recording import Machine


def describe_machine(root: Path = ROOT) -> Machine:
    """Describe this machine; `root` is the folder that holds proc, sys and etc."""
    return Machine(
        cpu_model=_cpu_model(read(root / "proc/cpuinfo")) or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        architecture=platform.machine(),
        os=key_values(read(root / "etc/os-release"), "=").get("PRETTY_NAME") or platform.platform(),
        python=platform.python_version(),
        board=read(root / "proc/device-tree/model") or None,
        cpu_governor=read(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or None,
        load_average=round(os.getloadavg()[0], 2),
        host=platform.node() or None,
        kernel=platform.release(),
        memory_bytes=memory_bytes("MemTotal", root),
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
    fields = key_values(cpuinfo, ":")
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
