"""The cores that can be emulated, and how Linux describes them on their boards."""

from dataclasses import dataclass

from edge_seg.errors import BenchmarkError

_CORE_COUNT = 4


@dataclass(frozen=True)
class Core:
    """A core by QEMU's name, and its fields in /proc/cpuinfo, read on its board.

    The runtime picks its kernels by them: with another core's part it runs other, or illegal, instructions.
    """

    name: str
    board: str
    features: str
    variant: str
    part: str
    revision: int

    @property
    def title(self) -> str:
        """The core's name as its maker writes it, e.g. "Cortex-A72"."""
        return self.name.title()

    def cpuinfo(self) -> str:
        """Return the board's /proc/cpuinfo (arch/arm64/kernel/cpuinfo.c)."""
        return "".join(
            f"processor\t: {index}\n"
            "BogoMIPS\t: 108.00\n"
            f"Features\t: {self.features}\n"
            "CPU implementer\t: 0x41\n"
            "CPU architecture: 8\n"
            f"CPU variant\t: {self.variant}\n"
            f"CPU part\t: {self.part}\n"
            f"CPU revision\t: {self.revision}\n\n"
            for index in range(_CORE_COUNT)
        )


_ARMV8_0 = "fp asimd evtstrm crc32 cpuid"
_ARMV8_2 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"  # dot products
)

# QEMU's "max" is no board's core, and QEMU 7.2 computes wrong answers with it.
CORES = (
    Core("cortex-a53", "Raspberry Pi 3, Zero 2 W", _ARMV8_0, "0x0", "0xd03", 4),
    Core("cortex-a72", "Raspberry Pi 4", _ARMV8_0, "0x0", "0xd08", 3),
    Core("cortex-a76", "Raspberry Pi 5", _ARMV8_2, "0x4", "0xd0b", 1),
)


def find_core(name: str) -> Core:
    """Return a core by QEMU's name.

    Raises:
        BenchmarkError: none of CORES.
    """
    for core in CORES:
        if core.name == name:
            return core
    raise BenchmarkError(f"no core is called '{name}'; choose one of {', '.join(core.name for core in CORES)}")
