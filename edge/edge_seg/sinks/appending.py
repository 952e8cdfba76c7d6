"""Appending to a file so that what fails leaves it as it was."""

import os
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from edge_seg.files import append_whole, make_folder, remove_empty
from edge_seg.sinks.faults import sink_error


class AppendedFile:
    """A file that grows by whole pieces; nothing is on the disk before the first one is.

    Unbuffered: a piece is one write, so that it survives the process and a full disk is told at once.
    """

    def __init__(self, path: Path, *, named: Path | None = None) -> None:
        """Name a file, and what errors call it if that is another name."""
        self._path, self._named = path, named or path
        self._file: FileIO | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes of the file, those it had before included."""
        return 0 if self._file is None else self._file.tell()

    def append(self, piece: bytes) -> None:
        """Append all of `piece` or nothing.

        Raises:
            SinkError: the disk is full, or another reason in one sentence.
        """
        try:
            if self._file is None:
                self._file = _begin(self._path, piece)
            else:
                append_whole(self._file, piece)
        except OSError as error:
            raise sink_error(self._named, error) from None

    def fileno(self) -> int:
        """Return the descriptor of the file, once something was appended."""
        return self._file.fileno() if self._file is not None else -1

    def to_disk(self) -> None:
        """Wait until the disk has what was appended, so that it survives a power cut."""
        try:
            if self._file is not None:
                os.fdatasync(self._file)
        except OSError as error:
            raise sink_error(self._named, error) from None

    def close(self) -> None:
        """Close the file. Harmless when done twice."""
        if self._file is not None:
            self._file.close()


def _begin(path: Path, piece: bytes) -> FileIO:
    """Open the file and append its first piece; a new file that cannot hold even that is removed again."""
    made, is_new = make_folder(path.parent), not path.exists()
    try:
        file = path.open("ab", buffering=0)
        try:
            append_whole(file, piece)
        except OSError:
            file.close()
            raise
    except OSError:
        _take_back(path, made, is_new=is_new)
        raise
    return file


def _take_back(path: Path, made: Sequence[Path], *, is_new: bool) -> None:
    if is_new:
        path.unlink(missing_ok=True)
    remove_empty(made)
