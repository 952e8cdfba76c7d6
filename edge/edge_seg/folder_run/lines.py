"""Files of one line a picture: how far they reach, and cutting off what comes after."""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_HEAD = -1


def first_missing_line(path: Path, left_out: Mapping[int, str], done: int) -> int:
    """Return the index of the first of `done` pictures whose line is not there, whole and in its place."""
    found = (index for index, _ in _lines(path) if index != _HEAD)
    for index in range(done):
        if index not in left_out and next(found, None) != index:
            return index
    return done


def keep_lines_before(path: Path, end: int) -> None:
    """Cut the file off at the first line of picture `end` or a later one, or at the first that is no such line."""
    if not path.exists():
        return
    kept = 0
    for index, line_end in _lines(path):
        if index is None or index >= end:
            break
        kept = line_end
    os.truncate(path, kept)


def flush_to_disk(path: Path) -> None:
    """Return once the file's content would survive a power cut."""
    if not path.exists():
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _lines(path: Path) -> Iterator[tuple[int | None, int]]:
    """Yield each line's picture and the offset of its end; the picture is None for what is no whole line."""
    if not path.exists():
        return
    end = 0
    with path.open("rb") as file:
        for line in file:
            end += len(line)
            yield _picture_of(line, path.suffix.lower()), end


def _picture_of(line: bytes, suffix: str) -> int | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return int(json.loads(line)["frame"]) if suffix == ".jsonl" else _picture_of_row(line.decode())
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _picture_of_row(line: str) -> int:
    """Read CSV's second column, which edge_seg.sinks.events names `frame`."""
    value = next(csv.reader([line]))[1]
    return _HEAD if value == "frame" else int(value)
