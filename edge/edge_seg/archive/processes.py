"""Whether a process that noted who it was still runs."""

from pathlib import Path


def process_mark(pid: int, proc: Path = Path("/proc")) -> str:
    """Return what tells a process of this system from all others, also after its number was given away again.

    That is the start of the kernel, the namespace of process numbers (a container has its own) and the start of the
    process, as proc(5) has them; empty where there is no such process or no /proc.
    """
    try:
        state, started = _state_and_start(proc / str(pid) / "stat")
        return "" if state in "ZX" else f"{_numbers_of(proc)}/{started}"
    except OSError:
        return ""


def process_runs(pid: int, mark: str, proc: Path = Path("/proc")) -> bool | None:
    """Return whether the process with this mark runs; None when it is another system's, so that nobody here knows."""
    try:
        here = _numbers_of(proc)
    except OSError:
        return None
    return process_mark(pid, proc) == mark if mark.startswith(f"{here}/") else None


def _numbers_of(proc: Path) -> str:
    boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{(proc / 'self/ns/pid').readlink()}"


def _state_and_start(stat: Path) -> tuple[str, str]:
    fields = stat.read_text().rpartition(")")[2].split()  # the name before it may hold anything
    return fields[0], fields[19]
