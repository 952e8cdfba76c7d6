"""A folder of this machine as a file system of fsspec's: whole files, and every name as it is written."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fsspec.implementations.local import LocalFileSystem  # pyright: ignore

from edge_seg.files import is_part_name, remove_empty, write_bytes


class LocalFolder(LocalFileSystem):  # pyright: ignore
    """fsspec's own writes a file in place, so that a killed process leaves half of one."""

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: object) -> bytes:
        """Return the bytes of a file."""
        return Path(path).read_bytes()[start:end]

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: object) -> None:
        """Write a file, whole or not at all, and its folders."""
        with suppress(FileNotFoundError):  # `rm_file` of another process may take the folder away again
            return write_bytes(Path(path), value)
        return write_bytes(Path(path), value)

    def rm_file(self, path: str, **_: object) -> None:
        """Remove a file, and its folder if nothing else is in it: a bucket has no empty folders either."""
        Path(path).unlink()
        remove_empty([Path(path).parent])


def files_below(folder: Path) -> Iterator[str]:
    """Yield the path of every file below a folder that is written to its end, none if the folder is not there.

    Folders that are links are not entered.

    Raises:
        OSError: a folder may not be read.
    """
    if folder.exists():
        for place, _, names in os.walk(folder, onerror=_raise):
            whole = (name for name in names if not is_part_name(name))
            yield from (os.path.join(place, name) for name in whole)  # noqa: PTH118 - a Path for each takes seconds


def _raise(error: OSError) -> None:
    raise error
