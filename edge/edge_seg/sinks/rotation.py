"""Outputs that go on for months: files that end after a time or a size, and the names of the next ones.

The first file has the name that was asked for, unless there is one already; the later ones say when
they begin, in UTC: `out.mp4`, `out_20261125T110500Z.mp4`, …
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from edge_seg.result import Result
from edge_seg.sinks.faults import check_output

JOURNAL_SUFFIX = ".journal"
_STAMP = r"\d{8}T\d{6}(\.\d{3})?Z(_\d+)?"


@dataclass(frozen=True)
class Rotation:
    """When a file has become old or large enough for the next one; None: never."""

    every_s: float | None = None
    size_bytes: int | None = None

    def is_due(self, age_s: float, size_bytes: int) -> bool:
        """True for a file of that age and size."""
        old = self.every_s is not None and age_s >= self.every_s
        return old or (self.size_bytes is not None and size_bytes >= self.size_bytes)

    @property
    def is_asked(self) -> bool:
        """False for files that never end."""
        return self.every_s is not None or self.size_bytes is not None

    @property
    def or_hourly(self) -> "Rotation":
        """This one, or for files that never end an hour for each: what a reader can still open."""
        return self if self.is_asked else Rotation(every_s=3600)


class OutputFile(Protocol):
    """One file of an output that writes several, one after the other."""

    @property
    def size_bytes(self) -> int:
        """What was written so far."""
        ...

    def takes(self, result: Result) -> bool:
        """False for a result that only another file can hold."""
        ...

    def write(self, result: Result) -> None:
        """Append one result.

        Raises:
            SinkError: it cannot be written; what was written before stays readable.
        """
        ...

    def close(self) -> None:
        """Finish the file. Harmless when done twice.

        Raises:
            SinkError: what was written did not reach the disk.
        """
        ...


OpenFile = Callable[[Path, Result], OutputFile]
"""Begins a file, of the size and kind of the first result that it is to hold."""


class RotatingSink:
    """Writes one file after the other. Ages are measured on the frames' monotonic clock."""

    needs_main_thread = False

    def __init__(self, path: Path, open_file: OpenFile, rotation: Rotation) -> None:
        self._path, self._open_file, self._rotation = path, open_file, rotation
        self._file: OutputFile | None = None
        self._began_s = 0.0
        check_output(path, path.parent)

    def write(self, result: Result) -> None:
        """Append one result to the file there is, or to the next one."""
        if self._file is not None and self._is_over(self._file, result):
            self.close()
        if self._file is None:
            self._file = self._open_file(unused(self._path, result.frame.captured_at), result)
            self._began_s = result.frame.captured_monotonic_s
        self._file.write(result)

    def close(self) -> None:
        """Finish the last file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _is_over(self, file: OutputFile, result: Result) -> bool:
        age_s = result.frame.captured_monotonic_s - self._began_s
        return self._rotation.is_due(age_s, file.size_bytes) or not file.takes(result)


def unused(path: Path, begins_at: float) -> Path:
    """Return `path`, or where there is such a file the same with the time, in seconds since 1970."""
    return stamped(path, begins_at) if _is_taken(path) else path


def stamped(path: Path, begins_at: float) -> Path:
    """Return a name that no file has: `path` with the time, in seconds since 1970, and a number if need be."""
    name = f"{path.stem}_{time_stamp(begins_at)}"
    number = 1
    while _is_taken(found := path.with_name(f"{name}{'' if number == 1 else f'_{number}'}{path.suffix}")):
        number += 1
    return found


def journal_of(file: Path) -> Path:
    """Return where the parts of a file are kept that can only be written at its end: `via.json.journal`."""
    return file.with_name(file.name + JOURNAL_SUFFIX)


def frames_of(file: Path) -> Path:
    """Return the folder of the frames that a file annotates: `via_frames`."""
    return file.with_name(f"{file.stem}_frames")


def _is_taken(path: Path) -> bool:
    return path.exists() or journal_of(path).exists()


def time_stamp(seconds: float, *, milliseconds: bool = False) -> str:
    """Return a time since 1970 as ISO 8601 writes it in UTC, fit for names of files: 20261125T110500Z."""
    time = datetime.fromtimestamp(seconds, UTC)
    fraction = f".{time.microsecond // 1000:03d}" if milliseconds else ""
    return f"{time:%Y%m%dT%H%M%S}{fraction}Z"


def is_stamped(path: Path, name: str) -> bool:
    """True when `name` is one that `stamped` makes of `path`."""
    return re.fullmatch(f"{re.escape(path.stem)}_{_STAMP}{re.escape(path.suffix)}", name) is not None


def stamp_of(path: Path) -> str:
    """Return the time in a name that `stamped` made; empty where there is none. Sorts as time does."""
    match = re.search(f"_({_STAMP})$", path.stem)
    return match[1] if match else ""
