"""Running a command for each event.

The command is a line for the shell. It finds the event as JSON on its standard input and in its environment:
EDGE_SEG_ID, EDGE_SEG_EVENT, EDGE_SEG_ALERT, EDGE_SEG_CLASS, EDGE_SEG_SHARE, … one for each key that
`edge_seg.alerts.event` describes; EDGE_SEG_SNAPSHOT is the picture's whole path. Nothing of the event
becomes part of the line itself, so no name can inject anything.

Commands run one after the other, in the order of the events. Exit code 75 (EX_TEMPFAIL of sysexits.h) asks for another
try; any other failure is told and not repeated. A command that takes too long is ended with all it started.
"""

import os
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from edge_seg.alerts.courier import Refused, Unreachable
from edge_seg.alerts.event import AlertEvent

_TIMEOUT_S = 30.0
_SHOWN_LENGTH = 200


class Command:
    """Runs a command line for each event."""

    def __init__(self, line: str, folder: Path, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._line, self._folder, self._timeout_s = line, folder, timeout_s
        self.name = f"command {_program(line)}"
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._closed = False

    def deliver(self, event: AlertEvent) -> None:
        """Run the command and wait for it."""
        # A file, not a pipe: what the command leaves running in the background may keep it open.
        with tempfile.TemporaryFile() as complaints:
            process = self._start(event, complaints)
            try:
                _tell(process, event)
                process.wait(self._timeout_s)
            except subprocess.TimeoutExpired:
                _kill_group(process)
                raise Refused(f"took more than {self._timeout_s:g} s and was ended") from None
            finally:
                with self._lock:
                    self._running = None
            complaints.seek(0)
            self._judge(process.returncode, complaints.read().decode(errors="replace"))

    def close(self) -> None:
        """End a command that runs; its event is kept."""
        with self._lock:
            self._closed = True
            if self._running is not None:
                _kill_group(self._running)

    def _start(self, event: AlertEvent, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise Unreachable("the camera ends")
            try:
                self._running = subprocess.Popen(
                    ["/bin/sh", "-c", self._line],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    env={**_inherited(), **environment(event, self._folder)},
                    start_new_session=True,
                )
            except OSError as error:
                raise Unreachable(f"cannot be started ({error.strerror})") from None
            return self._running

    def _judge(self, code: int, complaint: str) -> None:
        if self._closed:
            raise Unreachable("the camera ends")
        said = " ".join(complaint.split())[-_SHOWN_LENGTH:]
        said = f" ({said})" if said else ""
        if code == os.EX_TEMPFAIL:
            raise Unreachable(f"asks for another try{said}")
        if code:
            raise Refused(f"ended with exit code {code}{said}")


def environment(event: AlertEvent, folder: Path) -> dict[str, str]:
    """Return the variables that a command finds; those without a value are empty."""
    values = {**event.record(), "snapshot": str((folder / event.snapshot).absolute()) if event.snapshot else None}
    return {
        f"EDGE_SEG_{key.upper()}": "" if value is None else str(value).replace("\0", "")
        for key, value in values.items()
    }


def _program(line: str) -> str:
    """Return the program's name for messages; arguments and variables may hold secrets."""
    return next((word for word in line.split() if "=" not in word), "without a program")


def _inherited() -> dict[str, str]:
    """Return this process's environment without edge-seg's own variables, some of which hold secrets."""
    return {key: value for key, value in os.environ.items() if not key.startswith("EDGE_SEG_")}


def _tell(process: subprocess.Popen[bytes], event: AlertEvent) -> None:
    """Write the event to the command, which need not read it; it is small enough never to block."""
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(event.to_json().encode())


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
