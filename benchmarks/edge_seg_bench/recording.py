"""Recorded files: what all of them begin with, and how they are read."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_seg.errors import BenchmarkError
from edge_seg.validation import first_fault

SCHEMA_VERSION = 1
"""Of all recorded files but results.json, which counts its own versions."""

M = TypeVar("M", bound=BaseModel)


class Strict(BaseModel):
    """A value of a recorded file: frozen, and without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BenchmarkError(f"{path}: {error.strerror}; `{made_by}` writes one") from None
    except ValidationError as error:
        raise BenchmarkError(
            f"{path}: no benchmark result of schema {version} ({first_fault(error)}); measure again"
        ) from None
