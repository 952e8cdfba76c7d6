"""How a service stands, as systemd and its journal know it."""

from dataclasses import dataclass

from edge_seg.doctor.kernel_files import key_values
from edge_seg.errors import ServiceError
from edge_seg.service.systemctl import Run
from edge_seg.service.unit import Service

_PROPERTIES = (
    "LoadState,ActiveState,SubState,ActiveEnterTimestamp,InactiveEnterTimestamp,UnitFileState,"
    "NRestarts,StatusText,MainPID,Result,ExecMainStatus,MemoryCurrent"
)


@dataclass(frozen=True)
class ServiceStatus:
    """What `systemctl show` says of a service, and the last lines of its log."""

    unit: str
    state: str
    """ActiveState and SubState, such as 'active (running)'."""
    running: bool
    since: str
    at_boot: bool
    restarts: int
    """Since it was last started by hand or at boot."""
    doing: str
    """What the camera said last: rate, latency, shares, or what it waits for."""
    pid: int
    result: str
    """Why it ended last: 'success', 'exit-code', 'watchdog', 'timeout' …"""
    memory_mb: int | None
    log: tuple[str, ...]


def read_status(service: Service, *, lines: int, run: Run) -> ServiceStatus:
    """Ask systemd.

    Raises:
        ServiceError: no such service, or systemd does not answer.
    """
    values = key_values(run("systemctl", "show", service.unit, f"--property={_PROPERTIES}"), "=")
    if values.get("LoadState") == "not-found":
        raise ServiceError(
            f"{service.unit} is not installed; install it with  edge-seg service install --name {service.name}"
        )
    log = run("journalctl", "--unit", service.unit, "--lines", str(lines), "--output", "short-iso", "--no-pager")
    return status_of(service, values, tuple(log.splitlines()))


def status_of(service: Service, values: dict[str, str], log: tuple[str, ...]) -> ServiceStatus:
    """Make sense of the properties that `systemctl show` prints."""
    active, memory = values.get("ActiveState", "unknown"), values.get("MemoryCurrent", "")
    running = active == "active"
    return ServiceStatus(
        unit=service.unit,
        state=f"{active} ({values.get('SubState', '')})",
        running=running,
        since=values.get("ActiveEnterTimestamp" if running else "InactiveEnterTimestamp", ""),
        at_boot=values.get("UnitFileState") == "enabled",
        restarts=int(values.get("NRestarts") or 0),
        doing=values.get("StatusText", ""),
        pid=int(values.get("MainPID") or 0),
        result=values.get("Result", ""),
        memory_mb=int(memory) // 1_000_000 if memory.isdecimal() and int(memory) < 2**63 else None,
        log=log,
    )
