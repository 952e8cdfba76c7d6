"""The benchmark's side of a worker: starts it, asks, and turns its death into a sentence."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from edge_seg.errors import BenchmarkError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R")

TFLITE_WORKER = "edge_seg_bench.worker"
"""The module of the worker that runs .tflite models."""
PATIENCE_S = 300.0
"""For an answer: loading and one slow inference are in it, the time that a request allows itself comes on top."""
_SHOWN_STDERR_LINES = 3
_STOP_TIMEOUT_S = 5.0
_DAMAGED = "a damaged model; convert it again"
_OFTEN = {
    "SIGKILL": "out of memory; see `dmesg`",
    **dict.fromkeys(("SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT"), _DAMAGED),
}
"""Why a process gets a signal that nobody sent on purpose."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that workers run in."""

    python: str = sys.executable
    code: Path | None = None
    """Folder that edge-seg is imported from; None where that Python finds it by itself."""

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a worker."""
        return dict(os.environ) if self.code is None else {**os.environ, "PYTHONPATH": str(self.code)}


THIS_PYTHON = Interpreter()


class WorkerProcess:
    """A running worker. A context manager: leaving it ends the process."""

    def __init__(self, module: str = TFLITE_WORKER, interpreter: Interpreter = THIS_PYTHON) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        # -P keeps the current folder off sys.path: a user's numpy.py there must not be imported.
        self._process = subprocess.Popen(
            [interpreter.python, "-P", "-m", module],
            env=interpreter.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
        )
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, request: "DataclassInstance", answer: type[R], *, timeout_s: float = PATIENCE_S) -> R:
        """Send `request`, a dataclass, and return the worker's answer, a dataclass of the kind `answer`.

        Raises:
            BenchmarkError: the worker reported an error, died, or did not answer in `timeout_s` seconds.
        """
        try:
            _pipe(self._process.stdin).write(json.dumps({type(request).__name__: asdict(request)}).encode() + b"\n")
        except BrokenPipeError:
            raise BenchmarkError(self._obituary()) from None
        reply: dict[str, Any] = json.loads(self._read_line(timeout_s))
        if "error" in reply:
            raise BenchmarkError(reply["error"])
        return answer(**reply)

    def close(self) -> None:
        """End the process: by closing its stdin, or by force when it is still busy."""
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(_STOP_TIMEOUT_S if self._process.poll() is None else None)
        except subprocess.TimeoutExpired:
            self.kill()
        _pipe(self._process.stdout).close()
        self._stderr.close()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def _read_line(self, timeout_s: float) -> bytes:
        end = monotonic() + timeout_s
        stdout = _pipe(self._process.stdout)
        while b"\n" not in self._unread:
            if not select.select([stdout], [], [], max(0.0, end - monotonic()))[0]:
                self.kill()
                raise BenchmarkError(f"its process gave no answer within {timeout_s:.0f} s and was stopped")
            chunk = stdout.read(1 << 16)
            if not chunk:
                raise BenchmarkError(self._obituary())
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _obituary(self) -> str:
        code = self._process.wait()
        self._stderr.seek(0)
        lines = [line.strip() for line in self._stderr.read().decode(errors="replace").splitlines() if line.strip()]
        said = " | ".join(lines[-_SHOWN_STDERR_LINES:]) or "nothing on stderr"
        return f"its process ended with {_exit_words(code)}: {said}"


def _exit_words(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name} (often: {_OFTEN[name]})" if name in _OFTEN else name


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream
