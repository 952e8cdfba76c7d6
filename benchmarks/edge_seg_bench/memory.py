"""Peak resident memory of processes.

`getrusage().ru_maxrss` survives fork and exec, so a small child of a big parent reports the parent's peak;
VmHWM in /proc starts afresh at exec (proc_pid_status(5)).
"""

from pathlib import Path

from edge_seg.errors import BenchmarkError


def peak_rss_bytes(pid: int | None = None) -> int:
    """Return the peak resident set of process `pid`, or of this one.

    Raises:
        BenchmarkError: the process is gone, or this is not Linux.
    """
    status = Path(f"/proc/{'self' if pid is None else pid}/status")
    try:
        text = status.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise BenchmarkError(
            f"{status}: {error.strerror}; peak memory is measured on Linux, of a live process"
        ) from None
    return parse_peak_rss(text)


def parse_peak_rss(status: str) -> int:
    """Return bytes from the VmHWM line of /proc/PID/status.

    Raises:
        BenchmarkError: no such line, as for a process that has ended.
    """
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise BenchmarkError("no VmHWM in /proc/PID/status: the process has ended, or the kernel does not count")
