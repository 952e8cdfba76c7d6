"""Putting a service's files in place and taking them away again."""

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from edge_seg.errors import ServiceError
from edge_seg.files import atomic_path, remove_empty
from edge_seg.service.quoting import environment_line
from edge_seg.service.systemctl import Run
from edge_seg.service.unit import Service, UnitSettings, unit_text

_HEADER = """\
# Passwords and tokens of edge-seg-{name}: NAME=value, used as ${{NAME}} in the camera's options. Only root reads this.
"""
_OURS = re.compile(r"EDGE_SEG_SECRET_\d+=")
_STATE_FOLDERS = ("var/lib", "var/lib/private")  # the second is where DynamicUser keeps what the first links to


def check_name(name: str) -> None:
    """Raise ServiceError for a name that cannot be part of a unit's and a folder's name."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name):
        raise ServiceError(
            f"{name!r} cannot be the name of a service: take small letters, digits and hyphens, such as  --name door"
        )


def install(service: Service, settings: UnitSettings, secrets: Mapping[str, str], *, root: Path, run: Run) -> None:
    """Write unit and environment file, and start the service now and at every boot.

    When systemd refuses a service that was not there before, nothing of it stays.

    Args:
        service: its name and places.
        settings: what the unit file says.
        secrets: variables for the environment file, whose other lines are kept.
        root: the file system that the files go to.
        run: talks to systemd.

    Raises:
        ServiceError: systemd refused.
        OSError: a file cannot be written.
    """
    unit, environment = root / service.unit_path, root / service.secrets_path
    before = [path for path in (unit, environment) if path.exists()]
    _write(environment, _environment_text(service, _read(environment), secrets), mode=0o600)
    _write(unit, unit_text(service, settings), mode=0o644)
    try:
        run("systemctl", "daemon-reload")
        run("systemctl", "enable", service.unit)
        run("systemctl", "restart", "--no-block", service.unit)
    except ServiceError:
        if unit not in before:
            _forget(service, [path for path in (unit, environment) if path not in before], run)
        raise


def uninstall(service: Service, *, purge: bool, root: Path, run: Run) -> tuple[Path, ...]:
    """Stop the service and remove its unit; with `purge` also its secrets and what it wrote.

    Returns:
        What is left of it.

    Raises:
        ServiceError: no such service, or systemd refused.
    """
    unit = root / service.unit_path
    if not unit.exists():
        raise ServiceError(f"{unit}: no such service; those that are there:  systemctl list-units 'edge-seg-*'")
    run("systemctl", "disable", "--now", service.unit)
    unit.unlink()
    run("systemctl", "daemon-reload")
    with suppress(ServiceError):  # it is only there to be reset when it failed
        run("systemctl", "reset-failed", service.unit)
    kept = [root / service.secrets_path, *(root / folder / service.state for folder in _STATE_FOLDERS)]
    if purge:
        for path in kept:
            _remove(path)
        remove_empty([path.parent for path in kept])
    return tuple(path for path in kept if path.exists() and not path.is_symlink())


def _environment_text(service: Service, before: str, secrets: Mapping[str, str]) -> str:
    kept = [line for line in (before or _HEADER.format(name=service.name)).splitlines() if not _OURS.match(line)]
    return "\n".join([*kept, *(environment_line(name, value) for name, value in secrets.items())]) + "\n"


def _forget(service: Service, written: list[Path], run: Run) -> None:
    with suppress(ServiceError):
        run("systemctl", "disable", service.unit)
    for path in written:
        path.unlink(missing_ok=True)
    with suppress(ServiceError):
        run("systemctl", "daemon-reload")


def _write(path: Path, text: str, *, mode: int) -> None:
    with atomic_path(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(mode)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
