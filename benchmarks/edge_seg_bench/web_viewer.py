"""A viewer of the live page in a process of its own: `python -m edge_seg_bench.web_viewer URL` reads until the end."""

import http.client
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

_CHUNK_BYTES = 1 << 16
_LONGEST_SILENCE_S = 10.0
_CONNECTED = b"connected\n"


@contextmanager
def web_viewer(page_url: str) -> Generator[None]:
    """Have a viewer look at the overlay of a live page; it is connected when this returns."""
    command = [sys.executable, "-m", "edge_seg_bench.web_viewer", page_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as viewer:
        assert viewer.stdout is not None
        viewer.stdout.readline()
        try:
            yield
        finally:
            viewer.terminate()


def watch(page_url: str) -> None:
    """Read the moving picture of a page until the page ends it."""
    parts = urlsplit(page_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_LONGEST_SILENCE_S)
    connection.request("GET", "/stream.mjpeg?view=overlay")
    pictures = connection.getresponse()
    sys.stdout.buffer.write(_CONNECTED)
    sys.stdout.buffer.flush()
    while pictures.read1(_CHUNK_BYTES):
        pass


if __name__ == "__main__":
    watch(sys.argv[1])
