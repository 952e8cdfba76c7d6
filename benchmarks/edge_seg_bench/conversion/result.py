"""The file that `python -m edge_seg_bench.conversion --out` writes, from which the table is rendered."""

from pathlib import Path
from typing import Literal

from edge_seg.model_info import Precision
from edge_seg_bench.conversion.folders import Conversion
from edge_seg_bench.recording import SCHEMA_VERSION, Machine, Strict, read_recorded
from edge_seg_bench.results import Sampling
from edge_seg_bench.statistics import LatencySummary, RatioInterval


class ThreadSampling(Sampling):
    """How latency was sampled at one number of threads."""

    threads: int


class Timing(Strict):
    """One row at one number of threads."""

    threads: int
    runtime_version: str
    runtime_settings: dict[str, str]
    """What a peer was told, and what it says it does; of LiteRT nothing but the threads is set."""
    load_ms: float
    first_inference_ms: float
    peak_rss_bytes: int
    warmup_runs: int
    blocks_ms: tuple[tuple[float, ...], ...]
    """Raw samples, one block a round; the rounds of one network at one number of threads are interleaved."""
    latency: LatencySummary
    time_of_reference: RatioInterval | None
    """Median latency over that of OpenVINO on the stock int8 conversion: below 1, this row is faster."""
    notes: tuple[str, ...]
    """What makes the figure doubtful: not stable after the warm-up, or stopped early."""


class Row(Strict):
    """A model file in a runtime."""

    conversion: Conversion
    runtime: str
    precision: Precision
    file: str
    size_bytes: int
    miou: float | None
    """As the file says: measured by the conversion, in LiteRT; None where the file says nothing."""
    agreement_with_float: float | None
    """Share of pixels, 0 to 1, whose class is that of the Keras network; as the file says."""
    agreement_with_litert: float | None
    """Of peers: share of a generated photograph's pixels, 0 to 1, whose class is LiteRT's on the same conversion."""
    timings: tuple[Timing, ...]
    arm_instructions: dict[str, int]
    """Instructions of one frame at one thread, by core."""
    notes: tuple[str, ...]
    error: str | None


class NetworkResult(Strict):
    """All rows of one run."""

    name: str
    decoder: str | None
    """As the run's configuration says: "separable" or "transpose"."""
    input_shape: tuple[int, ...]
    input_dtype: str
    rows: tuple[Row, ...]


class ConversionReport(Strict):
    """A conversion.json."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    versions: dict[str, str]
    """edge-seg, the runtimes, and QEMU where instructions were counted."""
    machine: Machine
    samplings: tuple[ThreadSampling, ...]
    """One for each number of threads."""
    networks: tuple[NetworkResult, ...]


def read_report(path: Path) -> ConversionReport:
    """Read a conversion.json.

    Raises:
        BenchmarkError: no such file, damaged, or of another schema version.
    """
    return read_recorded(path, ConversionReport, made_by="python -m edge_seg_bench.conversion")
