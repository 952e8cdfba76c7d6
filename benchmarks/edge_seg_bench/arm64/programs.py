"""Programs of the system: whether they are there, and what they said when they failed."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_seg.errors import BenchmarkError

QEMU = "qemu-aarch64"
QEMU_SYSTEM = "qemu-system-aarch64"
COMPILER = "cc"

_SYSTEM_PROGRAMS = "/usr/sbin:/sbin"  # not on the PATH of an ordinary user
_CURES = {
    QEMU: "type  sudo apt-get install qemu-user",
    QEMU_SYSTEM: "type  sudo apt-get install qemu-system-arm",
    "cpio": "type  sudo apt-get install cpio",
    "mke2fs": "type  sudo apt-get install e2fsprogs",
    "debugfs": "type  sudo apt-get install e2fsprogs",
    COMPILER: "type  sudo apt-get install gcc libc6-dev",
    "apt-cache": "the arm64 kernel comes from Debian's packages: work on Debian, or in its container",
    "apt-get": "the arm64 Python comes from Debian's or Ubuntu's packages: work on such a system, or in its container",
    "dpkg-deb": "the arm64 Python comes from Debian's or Ubuntu's packages: work on such a system, or in its container",
}


def check_system(system: str = sys.platform, machine: str = platform.machine()) -> None:
    """Raise BenchmarkError unless this is Linux on x86-64, where the cores are emulated."""
    if (system, machine) != ("linux", "x86_64"):
        raise BenchmarkError(
            f"arm64 cores are emulated on x86-64 Linux, and this is {machine} {system}; "
            "on a board itself `edge-seg bench MODEL` measures milliseconds"
        )


def require_program(name: str) -> str:
    """Return the path of a program.

    Raises:
        BenchmarkError: it is not installed; the sentence says which package has it.
    """
    path = shutil.which(name) or shutil.which(name, path=_SYSTEM_PROGRAMS)
    if path is None:
        raise BenchmarkError(f"{name}: no such program; {_CURES[name]}")
    return path


def run(
    command: Sequence[str], *, doing: str, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run a program, in `folder` or here, and return its stdout.

    Raises:
        BenchmarkError: it failed; the sentence has `doing` and the last thing it said.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, errors="replace", cwd=folder
    )
    if done.returncode != 0:
        said = last_words(done.stderr) or last_words(done.stdout) or f"exit code {done.returncode}"
        raise BenchmarkError(f"{doing} failed: {said}")
    return done.stdout


def last_words(said: str) -> str:
    """Return the last line that says something, an error before anything else."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "E:"))]
    return (errors or lines or [""])[-1]
