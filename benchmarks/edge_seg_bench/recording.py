"""Recorded files: what all of them begin with, and how they are read."""

import json
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_seg.errors import BenchmarkError
from edge_seg.validation import first_fault

SCHEMA_VERSION = 1
"""Of all recorded files but results.json, which counts its own versions."""

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A value of a recorded file: frozen, without unknown keys, and of finite numbers, which JSON is for."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Machine(Strict):
    """Where it was measured."""

    cpu_model: str
    cores: int
    architecture: str
    os: str
    python: str
    board: str | None
    """Board model from the device tree, e.g. "Raspberry Pi 5 Model B Rev 1.0"."""
    cpu_governor: str | None
    load_average: float | None
    """Mean number of running tasks in the minute before the measurement."""
    host: str | None = None
    """The machine's name; `edge-seg bench share` leaves it out."""
    kernel: str | None = None
    memory_bytes: int | None = None


class Recorded(Strict):
    """What a recorded file begins with."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    edge_seg_version: str
    machine: Machine


def read_recorded(path: Path, kind: type[M], *, made_by: str, version: int = SCHEMA_VERSION) -> M:
    """Read a recorded result of schema `kind`; `made_by` is the command that writes one.

    Raises:
        BenchmarkError: no such file, damaged, or of another schema version.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BenchmarkError(f"{path}: {error.strerror}; `{made_by}` writes one") from None
    _check_version(path, text, made_by, version)
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise BenchmarkError(
            f"{path}: no benchmark result of schema {version} ({first_fault(error)}); measure again"
        ) from None


def _check_version(path: Path, text: bytes, made_by: str, version: int) -> None:
    """Tell a file of another version, or no JSON object at all, from a damaged one."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = "empty" if not text.strip() else f"not JSON ({error})"
        raise BenchmarkError(f"{path}: {what}; `{made_by}` writes a result") from None
    found: Any = cast("dict[str, Any]", value).get("schema_version") if isinstance(value, dict) else None
    if not isinstance(found, int):
        raise BenchmarkError(f"{path}: names no schema_version and is no benchmark result; `{made_by}` writes one")
    if found != version:
        cure = "update edge-seg" if found > version else f"measure again with `{made_by}`"
        raise BenchmarkError(
            f"{path}: a benchmark result of schema {found}, and this edge-seg reads schema {version}; {cure}"
        )
