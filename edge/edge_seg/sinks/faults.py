"""Turning what the operating system says of a failed write into one sentence."""

import errno
from pathlib import Path

from edge_seg.errors import SinkError
from edge_seg.files import check_can_write


def check_output(path: Path, folder: Path) -> None:
    """Raise SinkError, naming `path`, unless `folder` can be written into; it is not made yet."""
    try:
        check_can_write(folder)
    except OSError as error:
        raise sink_error(path, error) from None


def sink_error(path: Path, error: OSError) -> SinkError:
    """Say in one sentence why `path` could not be written and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SinkError(f"{path}: the disk is full; free some space or write to another disk")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SinkError(f"{path}: may not be written ({error.strerror}); choose another folder or change its rights")
    return SinkError(f"{path}: cannot be written ({error.strerror or error}); check the path")
