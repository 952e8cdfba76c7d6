"""Text files that grow by one line a frame; every line is on its way to the disk before the next frame comes."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.errors import SinkError
from edge_seg.result import Result
from edge_seg.sinks.appending import AppendedFile
from edge_seg.sinks.events import cells, columns, csv_line, json_line
from edge_seg.sinks.faults import check_output, sink_error
from edge_seg.sinks.rotation import RotatingSink, Rotation
from edge_seg.sinks.sink import Sink

_LONGEST_LINE_BYTES = 1 << 20

IsWhole = Callable[[bytes], bool]
LineOf = Callable[[Result], bytes]


class LinesFile:
    """Appends to a file, line by line; what is there stays, but for a last line that a power cut tore."""

    needs_main_thread = False

    def __init__(self, path: Path, line_of: LineOf, is_whole: IsWhole, head: bytes = b"") -> None:
        """Name a file.

        Args:
            path: of the file, written from the first result on.
            line_of: the line of a result.
            is_whole: false for what is the beginning of a line only.
            head: what a new file begins with.

        Raises:
            SinkError: its folder cannot be written into, or the file begins with something else.
        """
        self._path, self._line_of, self._is_whole, self._head = path, line_of, is_whole, head
        self._file = AppendedFile(path)
        self._begun = False
        check_output(path, path.parent)
        if _has_text(path):
            _check_head(path, head)

    @property
    def size_bytes(self) -> int:
        """What the file holds."""
        return self._file.size_bytes

    def takes(self, result: Result) -> bool:
        """True: a line holds any result."""
        return True

    def write(self, result: Result) -> None:
        """Append one line; a line that does not fit on the disk is taken back."""
        self.write_line(self._line_of(result))

    def write_line(self, line: bytes) -> None:
        """Append what the line of a result is, made elsewhere with `line_format`."""
        self._file.append(line if self._begun else self._before_first() + line)
        self._begun = True

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _before_first(self) -> bytes:
        if not _has_text(self._path):
            return self._head
        try:
            return _mend_last_line(self._path, self._is_whole)
        except OSError as error:
            raise sink_error(self._path, error) from None


def open_events(path: Path, rotation: Rotation | None) -> Sink:
    """Open a file of JSON lines, or with a rotation several; see edge_seg.sinks.events.

    Raises:
        SinkError: its folder cannot be written into.
    """

    def open_file(place: Path, _: Result | None = None) -> LinesFile:
        return LinesFile(place, json_line, _is_json)

    return RotatingSink(path, open_file, rotation) if rotation else open_file(path)


def open_shares(path: Path, classes: Sequence[SegmentationClass], rotation: Rotation | None) -> Sink:
    """Open a file of comma-separated values, or with a rotation several; see edge_seg.sinks.events.

    Raises:
        SinkError: its folder cannot be written into, or there is such a file with other columns.
    """
    names, line_of = columns(classes), line_format(path, classes)

    def open_file(place: Path, _: Result | None = None) -> LinesFile:
        return LinesFile(
            place,
            line_of,
            lambda line: _fields(line) == len(names),
            head=csv_line(names),
        )

    return RotatingSink(path, open_file, rotation) if rotation else open_file(path)


def line_format(path: Path, classes: Sequence[SegmentationClass]) -> LineOf:
    """Return what makes the line of a result: CSV for a path that ends so, else JSON."""
    if path.suffix.lower() != ".csv":
        return json_line
    names = columns(classes)
    return lambda result: csv_line(cells(result, names))


def _has_text(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _check_head(path: Path, head: bytes) -> None:
    with path.open("rb") as file:
        found = file.read(len(head))
    if found != head:
        raise SinkError(
            f"{path}: begins with other columns than {head.decode().strip()}; name another output or remove it"
        )


def _mend_last_line(path: Path, is_whole: IsWhole) -> bytes:
    """Remove a last line that is torn; return what else is missing at the end."""
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_LINE_BYTES))
        last = file.read().rpartition(b"\n")[2]
        if last and not is_whole(last):
            file.truncate(size - len(last))
            return b""
    return b"\n" if last else b""


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _fields(line: bytes) -> int:
    return len(next(csv.reader([line.decode(errors="replace")])))
