"""Whether the files that the camera left are whole."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2


def find_broken(folder: Path) -> Iterator[str]:
    """Give one sentence for each file under `folder` that cannot be read from end to end."""
    for path in sorted(folder.rglob("*")):
        if ".part" in path.name:
            yield f"{path.name}: was left unfinished"
        reader = _READERS.get(path.suffix)
        if reader is not None and path.is_file():
            fault = reader(path)
            if fault:
                yield f"{path.name}: {fault}"


def _lines(path: Path) -> str | None:
    lines = path.read_bytes().split(b"\n")
    if lines[-1]:
        return "the last line is cut off"
    try:
        for line in lines[:-1]:
            json.loads(line)
    except ValueError as error:
        return f"holds a line that is no JSON ({error})"
    return None


def _table(path: Path) -> str | None:
    with path.open(newline="", encoding="utf-8") as file:
        widths = {len(row) for row in csv.reader(file)}
    return None if len(widths) == 1 else f"has rows of {sorted(widths)} cells"


def _video(path: Path) -> str | None:
    capture = cv2.VideoCapture(str(path))
    arrived, _ = capture.read()
    capture.release()
    return None if arrived else "gives no frame"


def _picture(path: Path) -> str | None:
    return None if cv2.imread(str(path)) is not None else "is no picture"


_READERS = {".jsonl": _lines, ".csv": _table, ".mp4": _video, ".jpg": _picture}
