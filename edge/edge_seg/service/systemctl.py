"""Talking to systemd by its own programs."""

import shutil
import subprocess
from pathlib import Path
from typing import Protocol

from edge_seg.errors import ServiceError

_PATIENCE_S = 60


class Run(Protocol):
    """Something that runs a program of systemd's and returns what it printed."""

    def __call__(self, program: str, *arguments: str) -> str:
        """Run it.

        Raises:
            ServiceError: it is not there, failed, or did not end.
        """
        ...


def run(program: str, *arguments: str) -> str:
    """Run `systemctl` or `journalctl` and return what it printed on stdout.

    Raises:
        ServiceError: it is not there, failed, or did not end within a minute.
    """
    found = shutil.which(program)
    if found is None:
        raise ServiceError(f"{program} is not on this machine; services need a Linux that runs systemd")
    line = " ".join((program, *arguments[:2]))
    try:
        done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        raise ServiceError(f"{line}: no answer within {_PATIENCE_S} s; look at  systemctl list-jobs") from None
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ServiceError(f"{line}: {reason}")
    return done.stdout


def check_booted(root: Path = Path("/")) -> None:
    """Raise ServiceError unless systemd runs this machine: the test of sd_booted(3)."""
    if not (root / "run/systemd/system").is_dir():
        raise ServiceError(
            "this machine was not started by systemd (no /run/systemd/system), so it runs no services; "
            "--dry-run prints the unit file for another one"
        )
