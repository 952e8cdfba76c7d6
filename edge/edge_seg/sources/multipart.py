"""The bodies of a multipart/x-mixed-replace stream, as cameras send MJPEG (RFC 2046, section 5.1)."""

import re
from collections.abc import Callable

from edge_seg.errors import SourceError

_LONGEST_HEAD = 2**14
_LONGEST_BODY = 2**25
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_BOUNDARY_LINE = re.compile(rb"^--\S+", re.MULTILINE)


class MultipartReader:
    """Reads one body after the other. Cameras that declare the boundary wrongly or not at all are read too."""

    def __init__(self, read: Callable[[], bytes], boundary: str | None) -> None:
        """Take `read`, which returns some more bytes or none at the end, and the declared boundary."""
        self._read = read
        self._boundary = boundary.strip('"').lstrip("-").encode() if boundary else b""
        self._buffer = bytearray()

    def next_body(self) -> bytes:
        """Return the next part's body.

        Raises:
            SourceError: the stream ended, or is no multipart stream.
        """
        head = self._head()
        length = _LENGTH.search(head)
        return self._take(int(length[1])) if length else self._until_boundary(head)

    def _head(self) -> bytes:
        start = 0
        while (end := _END_OF_HEAD.search(self._buffer, max(0, start - 3))) is None:
            start = len(self._buffer)
            if start > _LONGEST_HEAD:
                raise SourceError("sends no multipart stream: a part has no head")
            self._more()
        head = bytes(self._buffer[: end.start()]) + b"\n"
        del self._buffer[: end.end()]
        return head

    def _take(self, length: int) -> bytes:
        if length > _LONGEST_BODY:
            raise SourceError(f"announces a picture of {length} bytes")
        while len(self._buffer) < length:
            self._more()
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _until_boundary(self, head: bytes) -> bytes:
        """Return all that comes before the boundary; what the boundary has in front of it, a JPEG does not mind."""
        line = _BOUNDARY_LINE.search(head)
        boundary = self._boundary or (line[0].lstrip(b"-") if line else b"")
        if not boundary:
            raise SourceError("sends no multipart stream: it has no boundary")
        start = 0
        while (end := self._buffer.find(boundary, max(0, start - len(boundary)))) < 0:
            start = len(self._buffer)
            if start > _LONGEST_BODY:
                raise SourceError("sends no multipart stream: a part has no end")
            self._more()
        body = bytes(self._buffer[:end]).rstrip(b"\r\n-")
        del self._buffer[:end]
        return body

    def _more(self) -> None:
        data = self._read()
        if not data:
            raise SourceError("the stream ended")
        self._buffer += data
