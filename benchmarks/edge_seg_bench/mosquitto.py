"""A real broker in a process of its own, which can be ended and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from edge_seg.errors import BenchmarkError

_ENDS_WITHIN_S = 30.0


class Mosquitto:
    """mosquitto, with what it keeps in a folder; runs until `close`."""

    def __init__(self, folder: Path, port: int, settings: Sequence[str]) -> None:
        """Start it.

        Args:
            folder: for its settings and its database.
            port: the one that its settings have it listen on, on loopback.
            settings: lines of mosquitto.conf(5), without those on persistence.

        Raises:
            BenchmarkError: it is not installed, or does not answer.
        """
        self.port = port
        self._config = folder / "mosquitto.conf"
        self._program = find_mosquitto()
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            "persistence true",
            f"persistence_location {folder}/",
            *(["user root"] if os.geteuid() == 0 else []),  # the user "mosquitto" may not write there
            *settings,
        ]
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.start()

    @property
    def pid(self) -> int | None:
        """The process's number; None while it is ended."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the broker, and wait until it answers.

        Raises:
            BenchmarkError: it does not.
        """
        command = [self._program, "-c", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.1)
        self.close()
        raise BenchmarkError(f"mosquitto does not answer on port {self.port}; run  {' '.join(command)}  to see why")

    def end(self, by: signal.Signals) -> None:
        """End the broker, and wait until it has ended. SIGTERM lets it save what it keeps, SIGKILL does not."""
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(_ENDS_WITHIN_S)
            self._process = None

    def close(self) -> None:
        """End the broker for good."""
        self.end(signal.SIGKILL)


def find_mosquitto() -> str:
    """Return the broker's program.

    Raises:
        BenchmarkError: it is not installed.
    """
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BenchmarkError("mosquitto: no such program; type  sudo apt-get install mosquitto")
    return program
