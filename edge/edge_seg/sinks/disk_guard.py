"""Keeping some of a disk free: the oldest recordings go, or writing stops.

Only files are removed that this program named: those that carry the time they begin, beside the file
that was asked for, and frames named after their time in the folder of their hour. The newest of each
output stays, as it may be the one that is being written.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from heapq import merge
from pathlib import Path

from edge_seg.errors import SinkError
from edge_seg.free_space import FreeSpace
from edge_seg.result import Result
from edge_seg.sinks.faults import sink_error
from edge_seg.sinks.own_files import own_files
from edge_seg.sinks.sink import Sink

_CHECK_EVERY_S = 5.0


class DiskFullError(SinkError):
    """Less space is free than was to be kept, and the run is to end."""


class DiskGuard:
    """Looks after the disk of one folder; cheap to ask before every write."""

    def __init__(
        self,
        folder: Path,
        wanted: FreeSpace,
        outputs: Sequence[Path] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Guard the disk that `folder`, which need not be there yet, is on.

        Args:
            folder: where something is written.
            wanted: what is to stay free.
            outputs: files and folders whose own older files may be removed, as given to `--out`.
            clock: seconds that only grow.
        """
        self._folder, self._wanted, self._outputs, self._clock = folder, wanted, tuple(outputs), clock
        self._due_s = float("-inf")

    def check(self) -> None:
        """Make room if need be; look at the disk every few seconds only, unless it was full.

        Raises:
            DiskFullError: there is too little, and the run is to stop.
            SinkError: there is too little, and nothing (more) may be removed.
        """
        if self._clock() < self._due_s:
            return
        try:
            if self._is_short() and self._wanted.when_full == "delete-oldest":
                self._delete_oldest()
            if self._is_short():
                raise self._error()
        except OSError as error:
            raise sink_error(self._folder, error) from None
        self._due_s = self._clock() + _CHECK_EVERY_S

    def look_again(self) -> None:
        """Look at the disk at the next check, whenever that is: a write has failed."""
        self._due_s = float("-inf")

    def _is_short(self) -> bool:
        return self._free() < self._wanted.keep_bytes

    def _free(self) -> int:
        return shutil.disk_usage(_existing(self._folder)).free

    def _delete_oldest(self) -> None:
        device = _existing(self._folder).stat().st_dev
        here = [path for path in self._outputs if _existing(path).stat().st_dev == device]
        for file in merge(*(own_files(path) for path in here)):
            if not self._is_short():
                return
            file.remove()

    def _error(self) -> SinkError:
        kept, free = f"{self._wanted.keep_bytes / 1e6:.0f} MB", f"{self._free() / 1e6:.0f} MB"
        sentence = f"{self._folder}: {free} of its disk are free, fewer than the {kept} to keep (--keep-free)"
        match self._wanted.when_full:
            case "stop":
                return DiskFullError(f"{sentence}; free some space or give  --when-full delete-oldest")
            case "delete-oldest":
                return SinkError(f"{sentence}, and no older recording is left to delete; free some space")
            case "pause":
                return SinkError(f"{sentence}; free some space or give  --when-full delete-oldest")


class GuardedSink:
    """A sink that asks a guard before it writes."""

    def __init__(self, sink: Sink, guard: DiskGuard) -> None:
        self._sink, self._guard = sink, guard
        self.needs_main_thread = sink.needs_main_thread

    def write(self, result: Result) -> None:
        """Write one result if there is room.

        Raises:
            SinkError: there is none, or it cannot be written.
        """
        self._guard.check()
        try:
            self._sink.write(result)
        except SinkError:
            self._guard.look_again()
            raise

    def close(self) -> None:
        """Finish the output."""
        self._sink.close()


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.absolute().parents) if place.exists())
