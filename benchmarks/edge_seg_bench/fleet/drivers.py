"""The driver processes of a fleet, seen from the one that starts them."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.fleet.driver import DriverSettings, Ended, Opened

_ENDS_WITHIN_S = 60.0


class Driver:
    """One driver process; what its cameras report goes to a file."""

    def __init__(self, settings: DriverSettings, log: Path) -> None:
        self.settings, self._log = settings, log
        with log.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "edge_seg_bench.fleet.driver"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self._write_line(settings.model_dump_json())

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def pages(self) -> dict[str, str]:
        """Wait until its cameras are open; return the URL of each one's live page by its name.

        Raises:
            BenchmarkError: it ended instead.
        """
        return Opened.model_validate_json(self._read_line()).pages

    def go(self) -> None:
        """Let the pictures begin."""
        self._write_line("go")

    def kill(self) -> None:
        """Kill it (SIGKILL), as a power cut ends a camera."""
        self._process.kill()
        self._process.wait()

    def end(self) -> Ended:
        """Have all its cameras end as they should; return what it says of them.

        Raises:
            BenchmarkError: it failed.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        ended = Ended.model_validate_json(self._read_line())
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"a process of cameras has not ended after {_ENDS_WITHIN_S:g} s") from None
        return ended

    def close(self) -> None:
        """Make sure that nothing of it is left."""
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def said(self) -> str:
        """Return what its cameras reported."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _write_line(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _read_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkError(f"a process of cameras ended too soon; it says: {self.said().strip()[-500:]}")
        return line


def split_cameras(cameras: int, doomed: int, most: int) -> Sequence[tuple[int, int]]:
    """Return (first camera, how many) of each process: the doomed ones first, in one of their own."""
    rest = cameras - doomed
    processes = -(-rest // most)
    bounds = [doomed + rest * index // processes for index in range(processes + 1)]
    return [(0, doomed), *((first, end - first) for first, end in pairwise(bounds))]
