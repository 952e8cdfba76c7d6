"""From measured runs to a Results value."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from edge_seg.errors import ModelError
from edge_seg.model_info import ModelInfo, read_model_info
from edge_seg_bench.measurement import ModelRun
from edge_seg_bench.messages import Finished
from edge_seg_bench.results import (
    UNKNOWN_PRECISION,
    Comparison,
    DelegateUse,
    Machine,
    Measurement,
    ModelRow,
    Results,
    Settings,
    reference_row,
)
from edge_seg_bench.statistics import Blocks, ratio_of_medians, summarise


def assemble(runs: Sequence[ModelRun], settings: Settings, machine: Machine) -> Results:
    """Describe every run in a row, and compare all measured rows with the reference."""
    names = display_names([run.model for run in runs])
    rows = tuple(_row(run, name) for run, name in zip(runs, names, strict=True))
    return Results(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        machine=machine,
        settings=settings,
        rows=rows,
        comparisons=compare_rows(rows, settings.seed),
    )


def display_names(models: Sequence[Path]) -> list[str]:
    """Return file names without .tflite, with as many folders in front as it takes to tell them apart."""
    depth, deepest = 1, max((len(model.parts) for model in models), default=1)
    while depth < deepest and len({model.parts[-depth:] for model in models}) < len(set(models)):
        depth += 1
    return ["/".join(model.parts[-depth:]).removesuffix(".tflite") for model in models]


def compare_rows(rows: Sequence[ModelRow], seed: int) -> tuple[Comparison, ...]:
    """Compare every measured row with the reference row."""
    reference = reference_row(rows)
    if reference is None:
        return ()
    others = [row for row in rows if row.measurement is not None and row is not reference]
    return tuple(_compare(reference, row, seed) for row in others)


def _compare(reference: ModelRow, row: ModelRow, seed: int) -> Comparison:
    speedup = ratio_of_medians(_blocks(reference), _blocks(row), seed=seed)
    return Comparison(reference=reference.name, model=row.name, speedup=speedup, verdict=speedup.verdict)


def _blocks(row: ModelRow) -> Blocks:
    assert row.measurement is not None
    return [np.asarray(block, dtype=np.float64) for block in row.measurement.blocks_ms]


def _row(run: ModelRun, name: str) -> ModelRow:
    info, info_note = _read_info(run.model)
    return ModelRow(
        name=name,
        path=str(run.model),
        size_bytes=run.model.stat().st_size if run.model.is_file() else None,
        precision=info.precision if info else _guessed_precision(run),
        recorded_metrics=info.metrics if info else {},
        notes=(*run.notes, *info_note),
        error=run.error,
        measurement=None if run.error is not None else _measurement(run),
    )


def _measurement(run: ModelRun) -> Measurement:
    assert run.loaded is not None
    assert run.finished is not None
    return Measurement(
        runtime_version=run.loaded.runtime_version,
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
    )


def _delegate_use(finished: Finished) -> DelegateUse:
    return DelegateUse(
        partitions=finished.partitions,
        delegated_nodes=finished.delegated,
        total_nodes=finished.nodes,
        left_out=finished.left_out,
    )


def _guessed_precision(run: ModelRun) -> str:
    """Return the precision that the graph's types show; a model that did not run has none."""
    return run.finished.precision if run.finished else UNKNOWN_PRECISION


def _read_info(model: Path) -> tuple[ModelInfo | None, tuple[str, ...]]:
    """Read the model's own description; a damaged one is a note: latency needs none."""
    if not model.is_file():
        return None, ()
    try:
        return read_model_info(model), ()
    except ModelError as error:
        return None, (str(error),)
