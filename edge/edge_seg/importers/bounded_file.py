"""Reading a file whose parser would hold any string, of any length, in memory."""

from pathlib import Path
from typing import IO

from edge_seg.errors import AnnotationError

LONGEST_STRING_BYTES = 2**27
"""A photograph in base64, or the coordinates of a million points, is shorter."""


class BoundedFile:
    """A binary file that refuses to go on after too many bytes without any of the `ends` of a string."""

    def __init__(self, file: IO[bytes], path: Path, ends: bytes) -> None:
        self._file, self._path, self._ends = file, path, [bytes([end]) for end in ends]
        self.bytes_since_end = 0

    def read(self, size: int = -1) -> bytes:
        """Read as a file does.

        Raises:
            AnnotationError: a string is too long.
        """
        chunk = self._file.read(size)
        last = max(map(chunk.rfind, self._ends))
        self.bytes_since_end = len(chunk) - last - 1 + (self.bytes_since_end if last < 0 else 0)
        if self.bytes_since_end > LONGEST_STRING_BYTES:
            raise AnnotationError(
                f"{self._path}: holds a text or a list of more than {LONGEST_STRING_BYTES >> 20} MB, so it is no "
                "annotation file; name another file"
            )
        return chunk


class GrowingReads(BoundedFile):
    """The same, reading as much at a time as the string at hand is already long.

    Expat scans an unfinished string anew with every chunk, so that equal chunks take quadratic time.
    """

    def read(self, size: int = -1) -> bytes:
        """Read at least `size` bytes, if there are as many."""
        return super().read(max(size, self.bytes_since_end) if size > 0 else size)
