"""From measured runs to a Board value."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from math import isfinite
from pathlib import Path

import numpy as np

from edge_seg.errors import ModelError
from edge_seg.model_info import ModelInfo, read_model_info
from edge_seg_bench.measurement import ModelRun
from edge_seg_bench.messages import Finished
from edge_seg_bench.recording import Machine
from edge_seg_bench.results import (
    UNKNOWN_PRECISION,
    Board,
    Comparison,
    DelegateUse,
    Measurement,
    Model,
    Row,
    Settings,
    measured_rows,
    reference_row,
)
from edge_seg_bench.statistics import Blocks, ratio_of_medians, summarise

_SUFFIX = ".tflite"


def assemble(
    runs: Sequence[ModelRun], settings: Settings, machine: Machine, *, energy_meter: str | None = None
) -> Board:
    """Describe every file in a model and every run in a row, and compare the measured rows."""
    files = list(dict.fromkeys(run.candidate.model for run in runs))
    names = dict(zip(files, display_names(files), strict=True))
    board = Board(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        machine=machine,
        settings=settings,
        models=tuple(_model(file, names[file], runs) for file in files),
        rows=tuple(_row(run, names[run.candidate.model]) for run in runs),
        comparisons=(),
        energy_meter=energy_meter,
    )
    return board.model_copy(update={"comparisons": compare_rows(board), "scalings": compare_threads(board)})


def display_names(models: Sequence[Path]) -> list[str]:
    """Return file names without .tflite, with as much of the path as it takes to tell them apart."""
    deepest = max((len(model.parts) for model in models), default=1)
    for suffix, depth in product((_SUFFIX, ""), range(1, deepest + 1)):
        names = ["/".join(model.parts[-depth:]).removesuffix(suffix) for model in models]
        if len(set(names)) == len(set(models)):
            return names
    return [str(model) for model in models]


def compare_rows(board: Board) -> tuple[Comparison, ...]:
    """Compare every measured row of a board with its reference row."""
    reference = reference_row(board)
    if reference is None:
        return ()
    others = [row for row in measured_rows(board) if row is not reference]
    return tuple(compare_pair(reference, row, board.settings.seed) for row in others)


def compare_threads(board: Board) -> tuple[Comparison, ...]:
    """Compare every measured row of a board with its model and runtime at the fewest threads."""
    fewest: dict[tuple[str, str], Row] = {}
    for row in sorted(measured_rows(board), key=lambda row: row.threads):
        fewest.setdefault((row.model, row.runtime), row)
    pairs = [(fewest[row.model, row.runtime], row) for row in measured_rows(board)]
    return tuple(compare_pair(first, row, board.settings.seed) for first, row in pairs if row is not first)


def compare_pair(reference: Row, row: Row, seed: int) -> Comparison:
    """Compare two measured rows of one session."""
    speedup = ratio_of_medians(blocks_of(reference), blocks_of(row), seed=seed)
    return Comparison(reference=reference.key, row=row.key, speedup=speedup, verdict=speedup.verdict)


def blocks_of(row: Row) -> Blocks:
    """Return a measured row's samples, one array a round."""
    assert row.measurement is not None
    return [np.asarray(block, dtype=np.float64) for block in row.measurement.blocks_ms]


def _model(file: Path, name: str, runs: Sequence[ModelRun]) -> Model:
    info, notes = _read_info(file)
    return Model(
        name=name,
        path=str(file),
        size_bytes=file.stat().st_size if file.is_file() else None,
        precision=info.precision if info else _guessed_precision(file, runs),
        recorded_metrics={name: value for name, value in info.metrics.items() if isfinite(value)} if info else {},
        notes=notes,
    )


def _row(run: ModelRun, name: str) -> Row:
    return Row(
        model=name,
        runtime=run.candidate.runtime,
        threads=run.candidate.threads,
        notes=tuple(run.notes),
        error=run.error,
        measurement=None if run.error is not None else _measurement(run),
    )


def _measurement(run: ModelRun) -> Measurement:
    assert run.loaded is not None
    assert run.finished is not None
    assert run.before is not None
    assert run.after is not None
    return Measurement(
        runtime_version=run.loaded.runtime_version,
        runtime_settings=run.loaded.settings,
        import_ms=run.loaded.import_ms,
        load_ms=run.loaded.load_ms,
        first_inference_ms=run.loaded.first_inference_ms,
        peak_rss_bytes=run.finished.peak_rss_bytes,
        input_shape=tuple(run.loaded.input_shape),
        input_dtype=run.loaded.input_dtype,
        delegate=_delegate_use(run.finished),
        warmup_runs=run.warmup_runs,
        blocks_ms=tuple(tuple(block) for block in run.blocks_ms),
        latency=summarise(np.concatenate([np.asarray(block) for block in run.blocks_ms])),
        before=run.before,
        after=run.after,
        throttled_blocks=run.throttled_blocks,
        energy_mj=float(np.median(run.energies_mj)) if run.energies_mj else None,
    )


def _delegate_use(finished: Finished) -> DelegateUse | None:
    """Return the delegate's part; a runtime that does not tell its nodes has none."""
    if finished.nodes == 0:
        return None
    return DelegateUse(
        partitions=finished.partitions,
        delegated_nodes=finished.delegated,
        total_nodes=finished.nodes,
        left_out=finished.left_out,
    )


def _guessed_precision(file: Path, runs: Sequence[ModelRun]) -> str:
    """Return the precision that the graph's types show; a model that did not run has none."""
    told = (run.finished.precision for run in runs if run.candidate.model == file and run.finished)
    return next(told, UNKNOWN_PRECISION)


def _read_info(model: Path) -> tuple[ModelInfo | None, tuple[str, ...]]:
    """Read the model's own description; a damaged one is a note: latency needs none."""
    if model.suffix != _SUFFIX or not model.is_file():
        return None, ()
    try:
        return read_model_info(model), ()
    except ModelError as error:
        return None, (str(error),)
