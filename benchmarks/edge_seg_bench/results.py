"""The results file: one JSON schema for every benchmark, from which all reports are rendered.

Unknown keys are refused, so that a file of another version is noticed and not half-read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_seg.errors import BenchmarkError
from edge_seg.files import write_text
from edge_seg.validation import first_fault
from edge_seg_bench.statistics import LatencySummary, RatioInterval

SCHEMA_VERSION = 1
UNKNOWN_PRECISION = "unknown"
MOST_ROUNDS = 12
"""Enough for a bootstrap over rounds; more would make the blocks short."""

M = TypeVar("M", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Machine(_Strict):
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


class Sampling(_Strict):
    """How latency was sampled."""

    threads: int
    runs: int
    seconds: float
    warmup_seconds: float
    limit_seconds: float
    rounds: int
    seed: int = 0


def rounds_for(runs: int) -> int:
    """Return into how many interleaved rounds `runs` are divided."""
    return min(MOST_ROUNDS, runs)


class Settings(Sampling):
    """How it was measured."""

    runtime: str


class DelegateUse(_Strict):
    """How much of the graph a delegate (XNNPACK) runs."""

    partitions: int
    delegated_nodes: int
    total_nodes: int
    left_out: dict[str, int]
    """Nodes that no partition took, by operation name."""


class Measurement(_Strict):
    """What one model's process reported."""

    runtime_version: str
    import_ms: float
    load_ms: float
    first_inference_ms: float
    peak_rss_bytes: int
    input_shape: tuple[int, ...]
    input_dtype: str
    delegate: DelegateUse
    warmup_runs: int
    blocks_ms: tuple[tuple[float, ...], ...]
    """Raw samples, one block a round; rounds are interleaved with the other models'."""
    latency: LatencySummary


class ModelRow(_Strict):
    """One model: its file, and either a measurement or the reason why there is none."""

    name: str
    path: str
    size_bytes: int | None
    precision: str
    recorded_metrics: dict[str, float]
    """What the model file says of its accuracy; not measured here."""
    notes: tuple[str, ...]
    error: str | None
    measurement: Measurement | None


class Comparison(_Strict):
    """Median latency of `reference` over that of `model`: above 1, `model` is faster."""

    reference: str
    model: str
    speedup: RatioInterval
    verdict: Literal["faster", "slower", "no difference", "too few runs"]


class Recorded(_Strict):
    """What a recorded file begins with."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    edge_seg_version: str
    machine: Machine


class Results(Recorded):
    """A results.json."""

    settings: Settings
    rows: tuple[ModelRow, ...]
    comparisons: tuple[Comparison, ...]


def write_results(path: Path, results: Results) -> None:
    """Write results.json atomically."""
    write_text(path, results.model_dump_json(indent=1) + "\n")


def read_results(path: Path) -> Results:
    """Read a results.json.

    Raises:
        BenchmarkError: no such file, damaged, or of another schema version.
    """
    return read_recorded(path, Results, made_by="edge-seg bench MODEL --out DIR")


def read_recorded(path: Path, kind: type[M], *, made_by: str) -> M:
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
            f"{path}: no benchmark result of schema {SCHEMA_VERSION} ({first_fault(error)}); measure again"
        ) from None


def reference_row(rows: Sequence[ModelRow]) -> ModelRow | None:
    """Return the row to compare with: the first measured float32 model, else the first measured one."""
    measured = [row for row in rows if row.measurement is not None]
    floats = [row for row in measured if row.precision == "float32"]
    return next(iter(floats or measured), None)
