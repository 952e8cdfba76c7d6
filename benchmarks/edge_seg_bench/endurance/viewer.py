"""A browser's connection to the live page: it takes the pictures and throws them away."""

import http.client
import socket
import threading
import time
from contextlib import suppress

_CHUNK_BYTES = 2**16
_AGAIN_AFTER_S = 0.5


class Viewer(threading.Thread):
    """Looks at one path of the page until it is closed, and connects again when it is cut off."""

    def __init__(self, port: int, path: str = "/stream.mjpeg") -> None:
        super().__init__(name=f"viewer of {path}", daemon=True)
        self.received_bytes = 0
        self._port, self._path = port, path
        self._closed, self._awake = threading.Event(), threading.Event()
        self._awake.set()
        self._connection: http.client.HTTPConnection | None = None
        self.start()

    def run(self) -> None:
        """Read until closed."""
        while not self._closed.is_set():
            with suppress(OSError, http.client.HTTPException, AttributeError, ValueError):
                self._look()
            self._closed.wait(_AGAIN_AFTER_S)

    def kill(self) -> None:
        """Be gone at once, in the middle of a picture; it connects again soon."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def sleep(self) -> None:
        """Stay connected, and read nothing."""
        self._awake.clear()

    def wake(self) -> None:
        """Read on."""
        self._awake.set()

    def close(self) -> None:
        """Be gone for good."""
        self._closed.set()
        self._awake.set()
        self.kill()
        self.join()

    def _look(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            self._connection.request("GET", self._path)
            answer = self._connection.getresponse()
            while not self._closed.is_set() and (data := answer.read1(_CHUNK_BYTES)):
                self.received_bytes += len(data)
                self._awake.wait()
        finally:
            self._connection.close()


def frames_so_far(port: int) -> int | None:
    """Return how many frames the page says went through the model; None when it does not answer."""
    return _metric(port, "edge_seg_frames_total")


def _metric(port: int, name: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    values = (line.split() for line in text.splitlines() if line.startswith(f"{name} "))
    return next((int(float(value)) for _, value in values), None)


def wait_for_page(port: int, timeout_s: float) -> bool:
    """Wait until the page tells of frames; tell whether it does."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if frames_so_far(port):
            return True
        time.sleep(0.2)
    return False
