"""Debian's arm64 kernel with the drivers of an emulated machine, `vivid` among them: a camera in software.

    vmlinuz
    busybox         the programs of the machine's first seconds
    modules/        drivers, in the order in which they are loaded

vivid gives the kernel's own V4L2 interface, with formats, sizes, controls and faults:
https://docs.kernel.org/admin-guide/media/vivid.html
"""

import lzma
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.packages import download, release, unpack, update_lists
from edge_seg_bench.arm64.programs import require_program, run

DRIVERS = ("virtio_mmio", "virtio_blk", "crc32c_generic", "ext4", "vivid")
_NEWEST_KERNEL = "linux-image-arm64"
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")


@dataclass(frozen=True)
class Kernel:
    """A kernel and its drivers in a folder; this module's docstring shows it."""

    folder: Path

    @property
    def image(self) -> Path:
        """The kernel itself."""
        return self.folder / "vmlinuz"

    @property
    def busybox(self) -> Path:
        """A static shell with mount and insmod."""
        return self.folder / "busybox"

    @property
    def modules(self) -> list[Path]:
        """The drivers, each after those that it needs."""
        return sorted((self.folder / "modules").iterdir())


def open_kernel(folder: Path, announce: Callable[[str], None]) -> Kernel:
    """Return the kernel that is in `folder`, fetched first when it is not there.

    Args:
        folder: holds one kernel for each release of Debian.
        announce: told before something that takes long.

    Raises:
        BenchmarkError: not Debian, or its packages could not be fetched.
    """
    if not release().startswith("debian-"):
        raise BenchmarkError(f"the machine's kernel is Debian's, and this is {release()}; work in a Debian container")
    finished = folder.absolute() / f"{release()}-kernel"
    if not finished.is_dir():
        announce(f"Debian's arm64 kernel, in {finished}: once, 60 MB")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{finished.name}.", dir=folder) as scratch:
            made = _fetch(Path(scratch))
            if not finished.is_dir():
                made.rename(finished)
    return Kernel(finished)


def load_order(drivers: Sequence[str], needs: Callable[[str], Sequence[str]]) -> list[str]:
    """Return `drivers` and all that one of them `needs`, each after those that it needs itself."""
    order: list[str] = []
    for driver in drivers:
        for name in (*load_order(needs(driver), needs), driver):
            if name not in order:
                order.append(name)
    return order


def needed_modules(module: bytes) -> list[str]:
    """Return the names of the modules that a module says it needs (MODULE_INFO in include/linux/module.h)."""
    found = _DEPENDS.search(module)
    return [module_name(name) for name in found[1].decode().split(",") if name] if found else []


def module_name(file_name: str) -> str:
    """Return a module's name by its file's, in which dashes and underscores are the same."""
    return file_name.partition(".")[0].replace("-", "_")


def _fetch(scratch: Path) -> Path:
    unpacked, made = scratch / "unpacked", scratch / "kernel"
    (made / "modules").mkdir(parents=True)
    options = update_lists(scratch / "apt")
    download([_newest_kernel(options), "busybox-static"], options, scratch / "apt/archives")
    unpack(scratch / "apt/archives", unpacked)
    shutil.copy(next(unpacked.glob("boot/vmlinuz-*")), made / "vmlinuz")
    shutil.copy(next(unpacked.glob("**/bin/busybox")), made / "busybox")
    _copy_modules({module_name(path.name): path for path in unpacked.glob("**/kernel/**/*.ko*")}, made / "modules")
    return made


def _copy_modules(files: Mapping[str, Path], folder: Path) -> None:
    """Copy DRIVERS and what they need, numbered; what is not among `files` is built into the kernel."""

    def needs(name: str) -> list[str]:
        return [each for each in needed_modules(_read(files[name])) if each in files]

    for index, name in enumerate(load_order([driver for driver in DRIVERS if driver in files], needs)):
        (folder / f"{index:02d}_{name}.ko").write_bytes(_read(files[name]))


def _newest_kernel(options: Sequence[str]) -> str:
    said = run(
        [require_program("apt-cache"), *options, "depends", _NEWEST_KERNEL], doing="asking apt for the newest kernel"
    )
    found = re.search(r"Depends: (linux-image-\S+)", said)
    if found is None:
        raise BenchmarkError(f"apt knows no {_NEWEST_KERNEL}; work on Debian, or in its container")
    return found[1]


def _read(module: Path) -> bytes:
    data = module.read_bytes()
    return lzma.decompress(data) if module.suffix == ".xz" else data
