"""alerts.jsonl: one line per event, see `edge_seg.alerts.event`."""

import errno
import os
from io import FileIO
from pathlib import Path

from edge_seg.alerts.courier import Unreachable
from edge_seg.alerts.event import AlertEvent
from edge_seg.files import append_whole


class Journal:
    """Appends events to a file, which is opened for each: it may be rotated by others at any time.

    A line that a killed run had just written is not written twice.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def deliver(self, event: AlertEvent) -> None:
        """Append one line, on the disk when this returns; of a line that does not fit, nothing stays."""
        line = f"{event.to_json()}\n".encode()
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b", buffering=0) as file:
                end = file.seek(0, os.SEEK_END)
                if not _ends_with(file, end, line):
                    append_whole(file, line)
                    os.fsync(file.fileno())
        except OSError as error:
            raise Unreachable(_reason(error)) from None

    def close(self) -> None:
        """Do nothing: the file is closed already."""


def _ends_with(file: FileIO, end: int, line: bytes) -> bool:
    file.seek(max(end - len(line), 0))
    return file.read(len(line)) == line


def _reason(error: OSError) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if full else f"cannot be written ({error.strerror})"
