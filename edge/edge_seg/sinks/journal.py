"""What a file that can only be written at its end is made of, kept on the disk until then.

    {"format": "via", "pictures": "via_frames", "names": {"0": "fire", …}, "canvas_id": 1, "ignore_id": 255}
    {"picture": {"file_name": …, "width": …, "height": …, "size_bytes": …}, "entries": […]}
    …

A journal is locked while somebody writes it, so that no other run takes it for one left behind.
"""

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from glob import escape
from pathlib import Path
from typing import Any, BinaryIO

from edge_seg.exporters import Labels, Picture
from edge_seg.sinks.annotation_formats import FORMATS, Entry
from edge_seg.sinks.appending import AppendedFile
from edge_seg.sinks.rotation import JOURNAL_SUFFIX, is_stamped, journal_of, stamped


class Journal:
    """The journal of one file."""

    def __init__(self, file: Path, kind: str, labels: Labels, pictures: Path) -> None:
        """Name the file to be, one of FORMATS, and the folder of its pictures."""
        self._path = journal_of(file)
        self._file = AppendedFile(self._path, named=file)
        self._head = {"format": kind, "pictures": str(pictures)} | asdict(labels)
        self._begun = False

    @property
    def size_bytes(self) -> int:
        """What was written so far."""
        return self._file.size_bytes

    def append(self, picture: Picture, entries: Sequence[Entry]) -> None:
        """Append one picture with its regions.

        Raises:
            SinkError: the disk is full, or another reason in one sentence.
        """
        line = _line({"picture": asdict(picture), "entries": entries})
        self._file.append(line if self._begun else _line(self._head) + line)
        if not self._begun:
            self._begun = True
            _try_to_lock(self._file)

    def finish(self) -> None:
        """Write the file and remove the journal.

        Raises:
            OSError: the file cannot be written; the journal stays.
        """
        try:
            if self._begun:
                finish(self._path)
        finally:
            self._file.close()


def finish_left_behind(file: Path) -> None:
    """Make files of the journals that killed runs left behind of `file` and of those rotated from it.

    Raises:
        OSError: one cannot be written; its journal stays.
    """
    for journal in sorted(file.parent.glob(f"{escape(file.stem)}*{file.suffix}{JOURNAL_SUFFIX}")):
        name = journal.name.removesuffix(JOURNAL_SUFFIX)
        if name == file.name or is_stamped(file, name):
            with journal.open("rb") as stream:
                if _try_to_lock(stream):
                    finish(journal)


def finish(journal: Path) -> None:
    """Write the file of a journal, up to a last line that is torn, and remove the journal.

    Raises:
        OSError: the file cannot be written; the journal stays.
    """
    file = journal.with_name(journal.name.removesuffix(JOURNAL_SUFFIX))
    for part in journal.parent.glob(f".{escape(file.stem)}.*.part{file.suffix}"):
        part.unlink()
    with journal.open("rb") as stream:
        head = next(_objects(stream), None)
        if head is not None:
            found = ((Picture(**item["picture"]), item["entries"]) for item in _objects(stream))
            where = stamped(file, journal.stat().st_mtime) if file.exists() else file
            FORMATS[head["format"]].write(where, file.parent / head["pictures"], _labels(head), found)
    journal.unlink()


def _objects(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in stream:
        if line.endswith(b"\n"):
            yield json.loads(line)


def _labels(head: dict[str, Any]) -> Labels:
    return Labels({int(item): name for item, name in head["names"].items()}, head["canvas_id"], head["ignore_id"])


def _line(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _try_to_lock(file: AppendedFile | BinaryIO) -> bool:
    """Lock a file until it is closed; False where somebody else has. A disk without locks has none to respect."""
    with suppress(OSError):
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
