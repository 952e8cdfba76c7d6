"""Whether the account of a service can get at a program or a model: home folders are closed on Raspberry Pi OS."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

_HOMES = (Path("/home"), Path("/root"))


def closed_path(paths: Iterable[Path], uid: int | None) -> Path | None:
    """Return the first file or folder on the way to `paths` that the account may not read or enter, or None.

    Args:
        paths: absolute; links are followed, and their own folders looked at, too.
        uid: the account; None for one that owns nothing. Groups are left out of account.
    """
    return next((place for path in paths for place in _way_to(path) if not _open_to(place, uid)), None)


def below_home(paths: Iterable[Path]) -> bool:
    """Return whether any of `paths`, or what it links to, lies where ProtectHome= hides it."""
    places = [place for path in paths for place in (path, path.resolve())]
    return any(place.is_relative_to(home) for place in places for home in _HOMES)


def _way_to(path: Path) -> Iterator[Path]:
    for place in dict.fromkeys((path, path.resolve())):
        yield from reversed(place.parents)
        yield place


def _open_to(place: Path, uid: int | None) -> bool:
    status = os.stat(place)  # noqa: PTH116 - reads like stat(2), whose bits are looked at
    needed = stat.S_IXOTH if stat.S_ISDIR(status.st_mode) else stat.S_IROTH
    if status.st_uid == uid:
        needed <<= 6
    return bool(status.st_mode & needed)
