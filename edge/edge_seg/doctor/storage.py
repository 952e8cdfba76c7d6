"""Memory, swap and the disk that results go to."""

import os
from dataclasses import dataclass
from pathlib import Path

from edge_seg.doctor.kernel_files import ROOT, memory_bytes, read, read_number


@dataclass(frozen=True)
class Memory:
    """Main memory, in MB (10^6 bytes)."""

    total_mb: int
    available_mb: int
    swap_mb: int


@dataclass(frozen=True)
class Disk:
    """The file system of a folder."""

    folder: str
    free_mb: int
    total_mb: int
    read_only: bool
    """Mounted so that nothing can be written."""
    volatile: bool
    """What is written is lost at power-off: an overlay or a file system in memory."""
    errors: int
    """Errors that ext4 counted on any of its file systems: an SD card that wears out."""


def read_memory(root: Path = ROOT) -> Memory:
    """Read /proc/meminfo below `root`."""
    total, available, swap = (
        (memory_bytes(name, root) or 0) // 1_000_000 for name in ("MemTotal", "MemAvailable", "SwapTotal")
    )
    return Memory(total, available, swap)


def read_disk(folder: Path, root: Path = ROOT) -> Disk:
    """Read how full the file system of `folder` is, and from /proc/mounts and /sys below `root` how it is."""
    space = os.statvfs(folder)
    kind, options = _mount_of(folder, read(root / "proc/mounts"))
    counts = (read_number(path) for path in (root / "sys/fs/ext4").glob("*/errors_count"))
    return Disk(
        folder=str(folder),
        free_mb=space.f_bavail * space.f_frsize // 1_000_000,
        total_mb=space.f_blocks * space.f_frsize // 1_000_000,
        read_only="ro" in options,
        volatile=kind in ("tmpfs", "ramfs", "overlay"),
        errors=sum(count or 0 for count in counts),
    )


def _mount_of(folder: Path, mounts: str) -> tuple[str, frozenset[str]]:
    """Return type and options of the innermost mount that holds `folder` (fields of fstab(5))."""
    rows = [line.split() for line in mounts.splitlines()]
    holding = [row for row in rows if len(row) >= 4 and folder.resolve().is_relative_to(row[1])]
    innermost = max(holding, key=lambda row: len(row[1]), default=["", "", "", ""])
    return innermost[2], frozenset(innermost[3].split(","))
