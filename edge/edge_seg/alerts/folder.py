"""The folder of a camera's alerts: alerts.jsonl, snapshots/, and outbox.sqlite3 with what waits to be sent."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from edge_seg.errors import AlertError, SinkError
from edge_seg.files import make_folder, remove_empty, remove_parts
from edge_seg.sinks.faults import check_output, sink_error


class AlertFolder:
    """A folder that belongs to this process until it is closed; one that stayed empty is removed again.

    Raises:
        AlertError: it cannot be written, or another camera writes there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: Sequence[Path] = ()
        try:
            check_output(path, path)
            self._made = make_folder(path)
            self._handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except SinkError as error:
            raise AlertError(str(error)) from None
        except OSError as error:
            raise AlertError(str(sink_error(path, error))) from None
        self._lock()
        remove_parts(path)

    @property
    def journal(self) -> Path:
        """The file with a line per event."""
        return self.path / "alerts.jsonl"

    @property
    def outbox(self) -> Path:
        """The database of what waits to be sent."""
        return self.path / "outbox.sqlite3"

    def close(self) -> None:
        """Leave the folder to others."""
        os.close(self._handle)
        remove_empty(self._made)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise AlertError(
                f"{self.path}: another camera keeps its alerts there; give this one its own with --alerts FOLDER"
            ) from None
