"""The processor, and what its instruction sets mean for int8 models."""

from dataclasses import dataclass
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT, key_values, read

# Part numbers of Arm's own cores (Main ID Register): the boards people run cameras on.
_ARM_CORES = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0b": "Cortex-A76",
    "0xd42": "Cortex-A78AE",
}
# Names in /proc/cpuinfo (Linux: Documentation/arch/arm64/elf_hwcaps.rst) of what XNNPACK has kernels for.
_TELLING = {
    "asimddp": "dot product",
    "asimdhp": "fp16",
    "i8mm": "i8mm",
    "neon": "NEON",
    "asimd": "NEON",
    "avx2": "AVX2",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "avxvnni": "AVX-VNNI",
}
_INT8_DOT_PRODUCTS = frozenset({"asimddp", "i8mm", "avx512_vnni", "avx_vnni", "avxvnni"})


@dataclass(frozen=True)
class Processor:
    """One processor, and the flags of /proc/cpuinfo."""

    name: str
    cores: int
    flags: frozenset[str]

    @property
    def instruction_sets(self) -> tuple[str, ...]:
        """Those that decide how fast a model runs."""
        return tuple(dict.fromkeys(name for flag, name in _TELLING.items() if flag in self.flags))

    @property
    def int8_note(self) -> str:
        """What an int8 model gains here over a float one."""
        if self.flags & _INT8_DOT_PRODUCTS:
            return "int8 dot products: int8 models run fastest"
        return "no int8 dot products: int8 models gain less speed, and are a third of the size all the same"


def read_processor(root: Path = ROOT) -> Processor:
    """Read /proc/cpuinfo below `root`."""
    text = read(root / "proc/cpuinfo")
    values = key_values(text, ":")
    flags = values.get("Features") or values.get("flags") or ""
    part = values.get("CPU part", "")
    name = _ARM_CORES.get(part) or values.get("model name") or values.get("Hardware") or (f"ARM {part}" if part else "")
    cores = sum(line.startswith("processor") for line in text.splitlines())
    return Processor(name or "unknown", cores, frozenset(flags.split()))
