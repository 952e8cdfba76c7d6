"""What a user waits for and what a device has to hold: whole `edge-seg` processes, timed from outside."""

import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, perf_counter, sleep

from edge_seg.errors import BenchmarkError
from edge_seg_bench.memory import peak_rss_bytes

_POLL_S = 0.002
_TIMEOUT_S = 300.0
_INSTALL_TIMEOUT_S = 1800.0


def program() -> str:
    """Return the `edge-seg` script of the Python that runs this.

    Raises:
        BenchmarkError: it is not there.
    """
    script = Path(sysconfig.get_path("scripts")) / "edge-seg"
    if not script.is_file():
        raise BenchmarkError(f"{script}: no such program; type  pip install edge-seg  in this environment")
    return str(script)


def help_seconds() -> float:
    """Return wall seconds of `edge-seg --help`."""
    start = perf_counter()
    check_ended(start_program([program(), "--help"]))
    return perf_counter() - start


def first_mask_seconds(model: Path, photo: Path, folder: Path) -> float:
    """Return seconds from starting `edge-seg run` on a photograph until its mask file is there.

    `folder` must hold no mask yet.
    """
    start = perf_counter()
    process = start_program(_run_command(model, photo, f"masks:{folder}"))
    watched = _watch(process, lambda: has_mask(folder))
    seconds = perf_counter() - start
    check_ended(process)
    if not watched:
        raise BenchmarkError(f"{folder}: `edge-seg run` ended without writing a mask")
    return seconds


def has_mask(folder: Path) -> bool:
    """Tell whether a finished PNG is in `folder`; names with a dot in front are still being written."""
    return any(not path.name.startswith(".") for path in folder.rglob("*.png"))


def device_peak_rss_bytes(model: Path, clip: Path, output: Path) -> int:
    """Return the peak resident set of an `edge-seg run` over a video, read from /proc until it ends."""
    return watch_peak_rss(start_program(_run_command(model, clip, str(output))))


def watch_peak_rss(process: subprocess.Popen[str], timeout_s: float = _TIMEOUT_S) -> int:
    """Return the peak resident set of a process, read from /proc until it ends.

    Raises:
        BenchmarkError: it failed.
    """
    peak = 0

    def read_peak() -> bool:
        nonlocal peak
        try:
            peak = max(peak, peak_rss_bytes(process.pid))
        except BenchmarkError:
            return True
        return False

    _watch(process, read_peak, timeout_s)
    check_ended(process, timeout_s)
    return peak


def installed_bytes(wheel: Path, folder: Path) -> int:
    """Install a wheel and its dependencies into a fresh venv in `folder`; return what site-packages grew by.

    Raises:
        BenchmarkError: no such wheel, or pip failed.
    """
    if not wheel.is_file():
        raise BenchmarkError(f"{wheel}: no such wheel; build it with  python -m build --wheel")
    check_ended(start_program([sys.executable, "-m", "venv", str(folder)]), _INSTALL_TIMEOUT_S)
    before = _folder_bytes(folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    check_ended(start_program([*pip, str(wheel)]), _INSTALL_TIMEOUT_S)
    return _folder_bytes(folder) - before


def _folder_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("site-packages/**/*") if path.is_file())


def _run_command(model: Path, source: Path, output: str) -> list[str]:
    return [program(), "run", str(source), "--model", str(model), "--out", output]


def start_program(command: Sequence[str]) -> subprocess.Popen[str]:
    """Start a program whose stderr is kept for `check_ended`."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _watch(process: subprocess.Popen[str], happened: Callable[[], bool], timeout_s: float = _TIMEOUT_S) -> bool:
    """Poll until something happened or the process ended; tell whether it happened."""
    end = monotonic() + timeout_s
    while process.poll() is None and monotonic() < end:
        if happened():
            return True
        sleep(_POLL_S)
    return happened()


def check_ended(process: subprocess.Popen[str], timeout_s: float = _TIMEOUT_S) -> None:
    """Wait for a process to end.

    Raises:
        BenchmarkError: it failed, or took longer than `timeout_s`.
    """
    name = " ".join(str(part) for part in list(process.args)[:3]) if isinstance(process.args, list) else "a process"
    try:
        _, said = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise BenchmarkError(f"`{name}` did not end within {timeout_s:.0f} s") from None
    if process.returncode != 0:
        last = (said.strip().splitlines() or ["nothing on stderr"])[-1]
        raise BenchmarkError(f"`{name}` ended with exit code {process.returncode}: {last}")
