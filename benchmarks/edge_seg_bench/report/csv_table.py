"""results.csv: a line for each row of each board, a column for each figure.

Raw samples, operations and the IoU of each class are in results.json alone. What depends on the model and not on the
row (size, work, accuracy) stands in each of its rows; stages stand in the row they were measured for.
"""

import csv
import io
from collections.abc import Mapping

from edge_seg_bench.board_names import board_names
from edge_seg_bench.results import Board, Comparison, Conditions, Measurement, Model, Results, Row
from edge_seg_bench.road_messages import STAGES

Cell = str | int | float | None
_LATENCIES = ("min", "mean", "p50", "p90", "p99", "mad")
COLUMNS = (
    *("board", "created", "edge_seg_version", "cpu_model", "cores", "architecture", "os", "kernel", "python"),
    *("memory_bytes", "cpu_governor", "model", "precision", "size_bytes", "runtime", "runtime_version", "threads"),
    *("error", "notes", "input_shape", "input_dtype", "runs", "rounds", "warmup_runs"),
    *(f"{name}_ms" for name in _LATENCIES),
    *("speedup", "speedup_low", "speedup_high", "verdict", "reference"),
    *("import_ms", "load_ms", "first_inference_ms", "peak_rss_bytes"),
    *("delegate_partitions", "delegated_nodes", "total_nodes"),
    *(
        f"{name}_{when}"
        for name in ("load_average", "temperature_c", "clock_mhz", "throttling")
        for when in ("before", "after")
    ),
    *("throttled_blocks", "energy_mj", "macs", "weight_bytes", "activation_bytes", "recorded_miou"),
    *("accuracy_data", "accuracy_split", "accuracy_images", "miou", "agreement", "agreement_reference"),
    *(f"stage_{name}_p50_ms" for name in (*STAGES, "whole", "bare_invoke")),
)


def csv_text(results: Results) -> str:
    """Return results.csv (RFC 4180), whose columns are COLUMNS; an empty cell is a figure that is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for name, board in zip(board_names(results.boards), results.boards, strict=True):
        writer.writerows({"board": name, **_line(board, row)} for row in board.rows)
    return text.getvalue()


def _line(board: Board, row: Row) -> dict[str, Cell]:
    model = board.model_of(row)
    return {
        **_board_cells(board),
        **_model_cells(model),
        **_stage_cells(model, row),
        "runtime": row.runtime,
        "threads": row.threads,
        "error": row.error,
        "notes": " | ".join(row.notes),
        **(_measurement_cells(row.measurement) if row.measurement else {}),
        **_comparison_cells(next((each for each in board.comparisons if each.row == row.key), None)),
    }


def _board_cells(board: Board) -> dict[str, Cell]:
    names = ("cpu_model", "cores", "architecture", "os", "kernel", "python", "memory_bytes", "cpu_governor")
    return {
        "created": board.created,
        "edge_seg_version": board.edge_seg_version,
        **{name: getattr(board.machine, name) for name in names},
    }


def _model_cells(model: Model) -> dict[str, Cell]:
    work, accuracy = model.work, model.accuracy
    cells: dict[str, Cell] = {
        "model": model.name,
        "precision": model.precision,
        "size_bytes": model.size_bytes,
        "recorded_miou": model.recorded_metrics.get("miou"),
    }
    if work:
        cells |= {name: getattr(work, name) for name in ("macs", "weight_bytes", "activation_bytes")}
    if accuracy:
        cells |= {f"accuracy_{name}": getattr(accuracy, name) for name in ("data", "split", "images")}
        cells |= {"miou": accuracy.miou, "agreement": accuracy.agreement, "agreement_reference": accuracy.reference}
    return cells


def _stage_cells(model: Model, row: Row) -> dict[str, Cell]:
    stages = model.stages
    if stages is None or (stages.runtime, stages.threads) != (row.runtime, row.threads):
        return {}
    medians = {**stages.stages, "whole": stages.whole, "bare_invoke": stages.bare_invoke}
    return {f"stage_{name}_p50_ms": latency.p50_ms for name, latency in medians.items()}


def _measurement_cells(measured: Measurement) -> dict[str, Cell]:
    plain = ("runtime_version", "input_dtype", "warmup_runs", "import_ms", "load_ms", "first_inference_ms")
    cells: dict[str, Cell] = {
        **{name: getattr(measured, name) for name in (*plain, "peak_rss_bytes", "throttled_blocks", "energy_mj")},
        **{f"{name}_ms": getattr(measured.latency, f"{name}_ms") for name in _LATENCIES},
        "input_shape": "x".join(map(str, measured.input_shape)),
        "runs": measured.latency.runs,
        "rounds": len(measured.blocks_ms),
        **_condition_cells(measured.before, "before"),
        **_condition_cells(measured.after, "after"),
    }
    use = measured.delegate
    if use:
        cells |= {"delegate_partitions": use.partitions}
        cells |= {"delegated_nodes": use.delegated_nodes, "total_nodes": use.total_nodes}
    return cells


def _condition_cells(conditions: Conditions, when: str) -> Mapping[str, Cell]:
    """Nothing held back is "none"; an empty cell is not known."""
    throttling = None if conditions.throttling is None else " | ".join(conditions.throttling) or "none"
    names = ("load_average", "temperature_c", "clock_mhz")
    return {**{f"{name}_{when}": getattr(conditions, name) for name in names}, f"throttling_{when}": throttling}


def _comparison_cells(comparison: Comparison | None) -> dict[str, Cell]:
    if comparison is None:
        return {}
    speedup = comparison.speedup
    return {
        "speedup": speedup.ratio,
        "speedup_low": speedup.low,
        "speedup_high": speedup.high,
        "verdict": comparison.verdict,
        "reference": "{} {} {}".format(*comparison.reference),
    }
