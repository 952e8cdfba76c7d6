"""The results file of `edge-seg bench`: one JSON schema, from which all reports are rendered.

Results > boards > models and rows. A model is a file; a row is a model in a runtime at a number of threads. Results of
one machine hold one board; `edge-seg bench merge` puts the boards of several files into one.
Unknown keys are refused, so that a file of another version is noticed and not half-read.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from edge_seg.errors import BenchmarkError
from edge_seg.files import write_text
from edge_seg_bench.recording import Machine, Strict, read_recorded
from edge_seg_bench.statistics import LatencySummary, RatioInterval, Verdict

RESULTS_VERSION = 2
UNKNOWN_PRECISION = "unknown"
MOST_ROUNDS = 12
"""Enough for a bootstrap over rounds; more would make the blocks short."""

_LONGEST_MS = 1e9
"""Days: beyond any measurement, and short of what figures can be drawn of."""


class Sampling(Strict):
    """How latency was sampled."""

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
    """How a board was measured."""

    runtimes: tuple[str, ...]
    threads: tuple[int, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.runtimes or not self.threads or self.seed < 0:
            raise ValueError(f"runtimes {self.runtimes}, threads {self.threads} and seed {self.seed} measure nothing")
        return self


class Conditions(Strict):
    """The machine at one moment; None for what it does not tell."""

    load_average: float | None
    """Mean number of running tasks in the last minute."""
    temperature_c: float | None
    clock_mhz: float | None
    """Of the fastest core."""
    throttling: tuple[str, ...] | None
    """What holds it back, as `edge_seg.machine.throttle_reasons` spells it; () when nothing does."""


class DelegateUse(Strict):
    """How much of the graph a delegate (XNNPACK) runs."""

    partitions: int
    delegated_nodes: int
    total_nodes: int
    left_out: dict[str, int]
    """Nodes that no partition took, by operation name."""


class Measurement(Strict):
    """What one row's process reported."""

    runtime_version: str
    runtime_settings: dict[str, str]
    """What the runtime was told, and what it says it does; of LiteRT nothing but the threads is set."""
    import_ms: float
    load_ms: float
    first_inference_ms: float
    peak_rss_bytes: int
    input_shape: tuple[int, ...]
    input_dtype: str
    delegate: DelegateUse | None
    """None where the runtime does not tell."""
    warmup_runs: int
    blocks_ms: tuple[tuple[float, ...], ...]
    """Raw samples, one block a round; rounds are interleaved with the other rows'."""
    latency: LatencySummary
    before: Conditions
    after: Conditions
    throttled_blocks: int
    """Blocks during which the board was throttled; above 0, the row is marked in every report."""
    energy_mj: float | None
    """Millijoules per inference, of all that `Board.energy_meter` sees: the idle share of the board and of the waiting
    workers is included. None where the board has no meter."""

    @model_validator(mode="after")
    def _check_samples(self) -> Self:
        if not self.blocks_ms or not all(self.blocks_ms):
            raise ValueError("a row without samples")
        for sample_ms in (self.latency.p50_ms, *chain.from_iterable(self.blocks_ms)):
            if not 0 < sample_ms < _LONGEST_MS:
                raise ValueError(f"a latency of {sample_ms:g} ms")
        return self


class Work(Strict):
    """What one inference has to do, counted from the graph."""

    macs: int
    """Multiply-accumulates."""
    weight_bytes: int
    activation_bytes: int
    """Bytes of all tensors that operations read and write, each once per reader and writer."""


class Peak(Strict):
    """The most that this machine reached on work made for it: roofs (Williams et al. 2009), see peak.py."""

    precision: str
    """Of the arithmetic: "float32" or "int8"."""
    threads: int
    macs_per_s: float
    bytes_per_s: float
    """Read and written by a copy in memory, of arrays that no cache holds."""
    cache_bytes_per_s: float
    """The same of arrays that the caches hold."""


class OperationTime(Strict):
    """One operation of a profile."""

    name: str
    kind: str
    """e.g. "CONV_2D"."""
    ms: float
    share: float
    """Of the time of all operations, 0 to 1."""
    delegate: str | None
    """The delegate that ran it, None for the runtime's own kernel."""


class Profile(Strict):
    """Where the time of one inference goes, operation by operation."""

    runtime: str
    threads: int
    total_ms: float
    """Of all operations, also of those not kept here; what is around them takes the rest of the latency."""
    operations: tuple[OperationTime, ...]
    """The ten that take longest, longest first."""


class Stages(Strict):
    """From a picture file to an overlay file, stage by stage, beside bare inference in the same process."""

    runtime: str
    threads: int
    pictures: int
    width: int
    height: int
    """Of the pictures, pixels; of the first, when they differ."""
    stages: dict[str, LatencySummary]
    """decode, resize, invoke, postprocess, draw, write: in this order."""
    whole: LatencySummary
    bare_invoke: LatencySummary
    over_bare: RatioInterval
    """Median of the whole over that of bare inference."""
    whole_blocks_ms: tuple[tuple[float, ...], ...]
    """Raw samples, one block a round; the models take turns within each."""
    bare_blocks_ms: tuple[tuple[float, ...], ...]
    """The same rounds."""


class Accuracy(Strict):
    """What a model reached on a data set, at full image resolution."""

    data: str
    """The data set's name."""
    split: str
    images: int
    runtime: str
    miou: float
    iou: dict[str, float | None]
    """Per class; None for one that occurs in neither truth nor answer."""
    reference: str | None
    """The float32 model of the same network, by its name on this board; that model's own is its own name."""
    agreement: float | None
    """Share of pixels, 0 to 1, with the reference's class; pixels that the data set ignores are left out."""


class Model(Strict):
    """One model file: what it is, and what does not depend on a row."""

    name: str
    path: str
    size_bytes: int | None
    precision: str
    recorded_metrics: dict[str, float]
    """What the model file says of its accuracy; not measured here."""
    notes: tuple[str, ...] = ()
    work: Work | None = None
    profile: Profile | None = None
    stages: Stages | None = None
    accuracy: Accuracy | None = None


class RowKey(NamedTuple):
    """What tells a row from the others of its board."""

    model: str
    runtime: str
    threads: int


class Row(Strict):
    """A model in a runtime at a number of threads: either a measurement, or the reason why there is none."""

    model: str
    """The name of one of the board's models."""
    runtime: str
    threads: int
    notes: tuple[str, ...]
    error: str | None
    measurement: Measurement | None

    @model_validator(mode="after")
    def _check_outcome(self) -> Self:
        if (self.error is None) == (self.measurement is None):
            raise ValueError("a row has either a measurement or an error")
        return self

    @property
    def key(self) -> RowKey:
        """What tells this row from the others."""
        return RowKey(self.model, self.runtime, self.threads)


class Comparison(Strict):
    """Median latency of `reference` over that of `row`: above 1, `row` is faster."""

    reference: RowKey
    row: RowKey
    speedup: RatioInterval
    verdict: Verdict

    @model_validator(mode="after")
    def _check_ratio(self) -> Self:
        if not all(value is None or value > 0 for value in (self.speedup.ratio, self.speedup.low, self.speedup.high)):
            raise ValueError(f"a speed-up of {self.speedup.ratio:g}")
        return self


class Board(Strict):
    """Everything measured on one machine in one run of `edge-seg bench`."""

    created: str
    """UTC, ISO 8601."""
    edge_seg_version: str
    machine: Machine
    settings: Settings
    peaks: tuple[Peak, ...] = ()
    models: tuple[Model, ...]
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    """Of every measured row with the reference row."""
    scalings: tuple[Comparison, ...] = ()
    """Of every measured row with the one of the same model and runtime at the fewest threads."""
    energy_meter: str | None = None
    """What the energy was measured with, and what that does not see."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        names = [model.name for model in self.models]
        for what, values in (("models", names), ("rows", [row.key for row in self.rows])):
            if len(set(values)) < len(values):
                raise ValueError(f"two {what} are called the same")
        unknown = [row.model for row in self.rows if row.model not in names]
        if unknown:
            raise ValueError(f"a row is of the model '{unknown[0]}', which is none of the board's")
        return self

    def model_of(self, row: Row) -> Model:
        """Return the model of a row."""
        return next(model for model in self.models if model.name == row.model)


class Results(Strict):
    """A results.json."""

    schema_version: Literal[2] = RESULTS_VERSION
    boards: tuple[Board, ...]

    @model_validator(mode="after")
    def _check_boards(self) -> Self:
        if not self.boards:
            raise ValueError("no board was measured")
        return self


def write_results(path: Path, results: Results) -> None:
    """Write results.json atomically."""
    write_text(path, results.model_dump_json(indent=1) + "\n")


def read_results(path: Path) -> Results:
    """Read a results.json.

    Raises:
        BenchmarkError: no such file, damaged, or of another schema version.
    """
    return read_recorded(path, Results, made_by="edge-seg bench MODEL --out DIR", version=RESULTS_VERSION)


def reference_row(board: Board) -> Row | None:
    """Return the row to compare with: the first measured one of a float32 model, else the first measured one."""
    measured = [row for row in board.rows if row.measurement is not None]
    floats = [row for row in measured if board.model_of(row).precision == "float32"]
    return next(iter(floats or measured), None)


def only_board(results: Results, path: Path) -> Board:
    """Return the one board of results that are not merged.

    Raises:
        BenchmarkError: there are several.
    """
    if len(results.boards) != 1:
        raise BenchmarkError(
            f"{path}: holds {len(results.boards)} boards, and one is needed; give a file of one machine"
        )
    return results.boards[0]


def measured_rows(board: Board) -> Sequence[Row]:
    """Return the rows that have a measurement."""
    return [row for row in board.rows if row.measurement is not None]
