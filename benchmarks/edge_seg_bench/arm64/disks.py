"""Disk images of an emulated machine: ext4, made from a folder and read back into one; needs no root."""

import os
from pathlib import Path

from edge_seg_bench.arm64.programs import require_program, run

_SIZE_MB = 1024  # on paper: the image is sparse


def make_disk(folder: Path, image: Path, size_mb: int = _SIZE_MB) -> None:
    """Write an ext4 image that holds what is in `folder`.

    Raises:
        BenchmarkError: no mke2fs, or the folder does not fit.
    """
    made = image.with_name(f".{image.name}.{os.getpid()}.part")
    command = ["-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(folder), str(made), f"{size_mb}M"]
    try:
        run([require_program("mke2fs"), *command], doing=f"making a disk of {folder}")
        made.replace(image)
    finally:
        made.unlink(missing_ok=True)


def read_disk(image: Path, folder: Path) -> None:
    """Copy all that an ext4 image holds into `folder`.

    Raises:
        BenchmarkError: no debugfs, or no such image.
    """
    folder.mkdir(parents=True, exist_ok=True)
    request = f'rdump / "{folder.absolute()}"'
    run([require_program("debugfs"), "-R", request, str(image)], doing=f"reading the disk {image}")
    (folder / "lost+found").rmdir()
