"""The board, its operating system and whether both are 64 bits wide."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT, key_values, read


@dataclass(frozen=True)
class Board:
    """What the machine is."""

    model: str
    """Such as 'Raspberry Pi 5 Model B Rev 1.0'; empty on a PC."""
    os_name: str
    """Such as 'Debian GNU/Linux 12 (bookworm)'."""
    os_version: str
    """Such as '12'; empty where /etc/os-release has none."""
    kernel: str
    architecture: str
    """The kernel's, as `uname -m` prints it."""
    userland_bits: int
    """Width of this Python's pointers: 32 under a 64-bit kernel on some Raspberry Pi OS installations."""

    @property
    def is_raspberry_pi(self) -> bool:
        """Whether the device tree names a Raspberry Pi."""
        return self.model.startswith("Raspberry Pi")

    @property
    def narrow_userland(self) -> bool:
        """Whether 32-bit programs run under a 64-bit kernel."""
        return self.userland_bits == 32 and self.architecture in ("aarch64", "x86_64")


def read_board(root: Path = ROOT, *, architecture: str | None = None, userland_bits: int | None = None) -> Board:
    """Read the device tree and /etc/os-release below `root`.

    Args:
        root: where /proc and /etc are.
        architecture: as `uname -m` prints it; this kernel's when left out.
        userland_bits: 32 or 64; this Python's when left out.
    """
    release = key_values(read(root / "etc/os-release"), "=")
    kernel = os.uname()
    return Board(
        model=read(root / "proc/device-tree/model"),
        os_name=release.get("PRETTY_NAME", "unknown system"),
        os_version=release.get("VERSION_ID", ""),
        kernel=kernel.release,
        architecture=architecture or kernel.machine,
        userland_bits=userland_bits or struct.calcsize("P") * 8,
    )
