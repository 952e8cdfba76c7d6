"""`edge-seg camera` as a process of its own, watched from outside."""

import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from edge_seg_bench.device_processes import program

_KILL_AFTER_S = 30.0


class CameraProcess:
    """A camera that runs until it ends by itself or is asked to; what it says goes to a file."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as said:
            command = [program(), "camera", "--no-window", *arguments]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait until it has ended by itself; return its exit code."""
        return self._process.wait()

    def terminate(self) -> float:
        """Ask it to end by SIGTERM; return the seconds that took."""
        started = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_KILL_AFTER_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return time.monotonic() - started

    def said(self) -> str:
        """Return what it has written to the terminal."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> "CameraProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exit_code is None:
            self.terminate()
