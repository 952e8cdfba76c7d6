"""Writing files so that nothing half-written is ever seen under its final name."""

import errno
import hashlib
import os
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

_PART_NAME = re.compile(r"\..+\.\d+\.part(\.[^.]+)?")


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The temporary name keeps the suffix, so that encoders that go by the suffix work. Parent
    folders are made, and removed again on failure. A reader sees the old file or the whole new one,
    never a part. An OSError names `path`, whatever it was about to name; a device or a pipe is one: root could
    replace /dev/null by a file.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "is a device or a pipe, where a file is written", str(path))
    made = make_folder(path.parent)
    temporary = path.with_name(f".{_short(path.stem)}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        remove_empty(made)


def _short(stem: str) -> str:
    """Return the name itself, or what stands for one that leaves no room for more: file systems take 255 bytes."""
    name = os.fsencode(stem)
    return stem if len(name) <= 200 else hashlib.sha256(name).hexdigest()


def remove_parts(folder: Path) -> None:
    """Remove what `atomic_path` left under `folder` when the process was killed; nobody else may write there."""
    for path in list(folder.rglob(".*.part*")):
        if is_part_name(path.name) and path.is_file():
            path.unlink()


def is_part_name(name: str) -> bool:
    """Return whether a file is one that `atomic_path` has not renamed yet, or never will."""
    return _PART_NAME.fullmatch(name) is not None


def make_folder(folder: Path) -> Sequence[Path]:
    """Make `folder` with its parents; return those that were not there, the innermost first."""
    absent = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        remove_empty(absent)
        raise
    return absent


def remove_empty(folders: Sequence[Path]) -> None:
    """Remove those of `folders` that are there and hold nothing, in the order given."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def check_can_write(folder: Path) -> None:
    """Raise OSError unless files can be written into `folder`, which need not be there yet."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(existing))
    if not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(existing))


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 `text` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_durably(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; when this returns, no power cut undoes it."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
        sync(temporary)
    sync(path.parent)


def sync(path: Path) -> None:
    """Wait until what a file holds, or which names a folder holds, is on the disk.

    Raises:
        OSError: the disk fails.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def append_whole(file: FileIO, piece: bytes) -> None:
    """Write `piece` at the end of an unbuffered file that ends where it stands, or leave the file as it was.

    Raises:
        OSError: it does not fit on the disk.
    """
    end = file.tell()
    if file.write(piece) != len(piece):
        file.truncate(end)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
