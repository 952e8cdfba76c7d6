"""A whole arm64 machine, emulated: Debian's kernel, a userland and a camera at /dev/video0, which `vivid` plays.

    /system     disk   the userland's Python and libraries
    /packages   disk   the device's requirements
    /code       disk   edge-seg
    /results       disk   what the run gets, and what it leaves; the current folder

Unlike a userland it has a kernel of its own, a size of memory, and can start other programs. The root is the
initial RAM file system (Documentation/driver-api/early-userspace/buffer-format.rst in Linux), with links to /system.
"""

import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.cores import Core
from edge_seg_bench.arm64.disks import make_disk, read_disk
from edge_seg_bench.arm64.kernel import Kernel
from edge_seg_bench.arm64.programs import QEMU_SYSTEM, last_words, require_program, run
from edge_seg_bench.arm64.userland import Userland

_EXIT_CODE = ".exit-code"
_VIVID_OPTIONS = "n_devs=1 node_types=0x1"  # one device that captures video
_FOLDERS = ("bin", "proc", "sys", "dev", "tmp", "root", "system", "packages", "code", "results", "modules")
_LINKS = {"usr": "system/usr", "lib": "system/lib", "etc": "system/etc", "bin/sh": "busybox"}


@dataclass(frozen=True)
class Machine:
    """An emulated board and what is installed on it."""

    kernel: Kernel
    userland: Userland
    core: Core
    memory_mb: int = 512
    core_count: int = 4

    def run(self, arguments: Sequence[str], work: Path, *, timeout_s: float) -> tuple[int, str]:
        """Boot, run Python with `arguments` in a copy of the folder `work`, and switch off.

        Args:
            arguments: for example ("-m", "edge_seg.cli", "doctor").
            work: /results of the machine; what the run leaves there is here afterwards.
            timeout_s: for all of it, booting included; emulation is tens of times slower than a board.

        Returns:
            The exit code, and all that was written to the console.

        Raises:
            BenchmarkError: a program is absent, or the machine did not come to an end.
        """
        with tempfile.TemporaryDirectory(prefix="edge-seg-machine-") as scratch:
            disks = self._make_disks(Path(scratch), work)
            initrd = Path(scratch) / "initrd"
            initrd.write_bytes(_pack(self._make_root(Path(scratch) / "root", arguments)))
            console = self._boot(initrd, disks, timeout_s)
            read_disk(disks["results"], work)
        return _take_exit_code(work / _EXIT_CODE, console), console

    def _make_disks(self, scratch: Path, work: Path) -> dict[str, Path]:
        """Make the disks, by where they are mounted; those of the userland are kept beside it."""
        kept = self.userland.folder / "disks"
        kept.mkdir(exist_ok=True)
        disks = {"system": kept / "root", "packages": kept / "site-packages"}
        for image in disks.values():
            if not image.exists():
                make_disk(self.userland.folder / image.name, image)
        disks |= {"code": scratch / "code", "results": scratch / "results"}
        make_disk(_whole(self.userland.code, scratch / "links"), disks["code"])
        make_disk(work, disks["results"])
        return disks

    def _make_root(self, root: Path, arguments: Sequence[str]) -> Path:
        for folder in _FOLDERS:
            (root / folder).mkdir(parents=True)
        for link, target in _LINKS.items():
            (root / link).symlink_to(target)
        for module in self.kernel.modules:
            (root / "modules" / module.name).write_bytes(module.read_bytes())
        (root / "bin/busybox").write_bytes(self.kernel.busybox.read_bytes())
        (root / "init").write_text(init_script(arguments), encoding="utf-8")
        for program in ("bin/busybox", "init"):
            (root / program).chmod(0o755)
        return root

    def _boot(self, initrd: Path, disks: Mapping[str, Path], timeout_s: float) -> str:
        board = ["-M", "virt", "-cpu", self.core.name, "-smp", str(self.core_count), "-m", f"{self.memory_mb}M"]
        system = [
            "-kernel",
            str(self.kernel.image),
            "-initrd",
            str(initrd),
            "-append",
            "console=ttyAMA0 quiet panic=-1",
        ]
        command = [require_program(QEMU_SYSTEM), *board, *system, "-nographic", "-no-reboot", "-nic", "none"]
        for name, image in disks.items():
            forget = "off" if name == "results" else "on"
            command += ["-drive", f"file={image},format=raw,if=none,id={name},snapshot={forget}"]
            command += ["-device", f"virtio-blk-device,drive={name},serial={name}"]
        return _console(command, timeout_s)


def init_script(arguments: Sequence[str]) -> str:
    """Return the first program of the machine: it mounts, loads the drivers, runs Python and switches off."""
    return f"""#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do
  case $module in *_vivid.ko) insmod $module {_VIVID_OPTIONS} ;; *) insmod $module ;; esac
done
rm -r /modules
for disk in /sys/block/vd*; do mount /dev/${{disk##*/}} /$(cat $disk/serial); done
ip link set lo up
export HOME=/root PATH=/bin:/usr/bin PYTHONPATH=/code:/packages PYTHONUNBUFFERED=1
cd /results
/usr/bin/python3 {shlex.join(arguments)}
echo $? > /results/{_EXIT_CODE}
cd /
umount /results
poweroff -f
"""


def _console(command: Sequence[str], timeout_s: float) -> str:
    """Run QEMU and return what the machine wrote to its console."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=timeout_s,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else ""
        raise BenchmarkError(f"the machine did not end within {timeout_s:.0f} s; its console said:\n{said}") from None
    if done.returncode != 0:
        raise BenchmarkError(f"{QEMU_SYSTEM} failed: {last_words(done.stderr)}")
    return done.stdout.replace("\r\n", "\n")


def _take_exit_code(path: Path, console: str) -> int:
    if not path.exists():
        raise BenchmarkError(f"the machine broke down; its console said:\n{console}")
    text = path.read_text()
    path.unlink()
    return int(text)


def _pack(root: Path) -> bytes:
    """Return a folder as an initial RAM file system."""
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    command = [require_program("cpio"), "--quiet", "--create", "--format=newc", "--owner=0:0"]
    return subprocess.run(command, input=names.encode(), stdout=subprocess.PIPE, check=True, cwd=root).stdout


def _whole(code: Path, scratch: Path) -> Path:
    """Return `code` without links that lead out of it, which an image would keep as links."""
    if not any(path.is_symlink() for path in code.iterdir()):
        return code
    run(["cp", "--recursive", "--dereference", str(code), str(scratch)], doing="copying edge-seg")
    return scratch
