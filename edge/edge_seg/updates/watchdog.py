"""Hanging up on a server that trickles.

A time limit of a socket begins anew with every byte, so a server that gives one a second is never too slow for it,
neither in the middle of a model nor of a header line. A thread beside counts what comes in every span of time, and
cuts the connection under the reader.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from edge_seg.updates.limits import Limits

_LOOK_EVERY_S = 0.2


class HasFileNumber(Protocol):
    """A socket, or what wraps one in encryption."""

    def fileno(self) -> int:
        """Return the socket's file descriptor."""
        ...


class Watchdog:
    """Watches over one request, from its connection to its last byte; until there is one, its time limit does."""

    def __init__(self, limits: Limits, stopping: threading.Event) -> None:
        self._limits, self._stopping = limits, stopping
        self._received_bytes = 0
        self._connection: socket.socket | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="update watchdog", daemon=True)
        self.verdict: str | None = None
        """Why it hung up."""

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._let_go()

    def connected(self, connection: HasFileNumber) -> None:
        """Take note of what to cut."""
        self._let_go()
        # A duplicate shuts the same connection, and stays this one also when the reader has closed its own.
        self._connection = socket.socket(fileno=os.dup(connection.fileno()))

    def received(self, size_bytes: int) -> None:
        """Take note of what came."""
        self._received_bytes += size_bytes

    def _watch(self) -> None:
        began_s, began_bytes = time.monotonic(), 0
        while not self._over.wait(min(_LOOK_EVERY_S, self._limits.window_s)):
            passed_s = time.monotonic() - began_s
            if self._stopping.is_set():
                self._hang_up("fetching ended with the program")
            elif self._connection is None:
                began_s = time.monotonic()
            elif passed_s >= self._limits.window_s:
                if self._received_bytes - began_bytes < self._limits.lowest_bytes_per_s * passed_s:
                    self._hang_up(
                        f"gives fewer than {self._limits.lowest_bytes_per_s:.0f} bytes a second; try the address with "
                        "curl on this device"
                    )
                began_s, began_bytes = time.monotonic(), self._received_bytes

    def _hang_up(self, verdict: str) -> None:
        self.verdict = self.verdict or verdict
        if self._connection is not None:
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
