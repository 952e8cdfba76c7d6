"""What differs between two measurements, apart from the models: machine, versions, settings and conditions."""

from collections.abc import Iterable

from pydantic import BaseModel

from edge_seg_bench.machine import busy_note
from edge_seg_bench.recording import Machine
from edge_seg_bench.results import Board

_MACHINE = ("cpu_model", "cores", "architecture", "board")
_SYSTEM = ("host", "os", "kernel", "python", "cpu_governor", "memory_bytes")
_SETTINGS = ("runs", "seconds", "warmup_seconds", "limit_seconds", "rounds")


def machine_differences(old: Machine, new: Machine) -> tuple[str, ...]:
    """Return what shows that these are two machines; a host name does not: shared files leave it out."""
    return tuple(_differing(old, new, _MACHINE))


def measuring_differences(old: Board, new: Board) -> tuple[str, ...]:
    """Return what else may have changed the figures, one phrase each."""
    return (
        *_differing(old.machine, new.machine, _SYSTEM),
        *_version_differences(old, new),
        *_differing(old.settings, new.settings, _SETTINGS),
        *_size_differences(old, new),
        *_disturbances("old", old),
        *_disturbances("new", new),
    )


def _differing(old: BaseModel, new: BaseModel, fields: Iterable[str]) -> list[str]:
    """Return e.g. "cores: 2, now 4" for each of `fields` that both tell and that differs."""
    pairs = [(field, getattr(old, field), getattr(new, field)) for field in fields]
    return [
        f"{field.replace('_', ' ')}: {was}, now {now}"
        for field, was, now in pairs
        if was != now and None not in (was, now)
    ]


def _version_differences(old: Board, new: Board) -> list[str]:
    before, after = _versions(old), _versions(new)
    return [
        f"{name}: {before[name]}, now {version}"
        for name, version in after.items()
        if before.get(name, version) != version
    ]


def _versions(board: Board) -> dict[str, str]:
    told = {row.runtime: row.measurement.runtime_version for row in board.rows if row.measurement}
    return {"edge-seg": board.edge_seg_version, **told}


def _size_differences(old: Board, new: Board) -> list[str]:
    before = {model.name: model.size_bytes for model in old.models}
    return [
        f"{model.name}: a file of {before[model.name]:,} bytes, now {model.size_bytes:,}"
        for model in new.models
        if model.size_bytes is not None and before.get(model.name) not in (None, model.size_bytes)
    ]


def _disturbances(which: str, board: Board) -> list[str]:
    throttled = sum(bool(row.measurement and row.measurement.throttled_blocks) for row in board.rows)
    said = [f"{which}: {busy_note(board.machine)}"] if busy_note(board.machine) else []
    return [*said, *([f"{which}: rows during which the board was throttled: {throttled}"] if throttled else [])]
