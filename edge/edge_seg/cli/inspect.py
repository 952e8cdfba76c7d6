"""`edge-seg inspect`: what a model file is."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_seg.cli.options import JsonOption, RuntimeOption
from edge_seg.runtimes import DEFAULT_RUNTIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from edge_seg.inspection import Inspection
    from edge_seg.model_info import ModelInfo
    from edge_seg.runtimes import TensorSpec


def inspect(
    model: Annotated[Path, typer.Argument(help="A .tflite file, from edge-seg or from elsewhere, or a shipped name.")],
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    as_json: JsonOption = False,
) -> None:
    """Show what a model file is: tensors, precision, labels, operations, delegate coverage.

    Example:  edge-seg inspect models/fire_int8.tflite
    """
    from edge_seg.inspection import inspect_model
    from edge_seg.shipped import find_model

    inspection = inspect_model(find_model(model), runtime=runtime)
    if as_json:
        typer.echo(json.dumps(_as_dict(inspection), indent=2))
    else:
        _show(inspection)


def _as_dict(inspection: "Inspection") -> dict[str, Any]:
    coverage = inspection.coverage
    return {
        "model": str(inspection.path),
        "size_bytes": inspection.size_bytes,
        "precision": inspection.precision,
        "inputs": [_tensor_dict(spec) for spec in inspection.inputs],
        "outputs": [_tensor_dict(spec) for spec in inspection.outputs],
        "labels": list(inspection.labels),
        "operations": inspection.operations,
        "delegate": {
            "nodes": coverage.nodes,
            "delegated": coverage.delegated,
            "share": round(coverage.share, 4),
            "partitions": coverage.partitions,
            "left_out": coverage.left_out,
        },
        "edge_seg": inspection.info.model_dump(mode="json") if inspection.info else None,
    }


def _tensor_dict(spec: "TensorSpec") -> dict[str, Any]:
    return {
        "name": spec.name,
        "shape": list(spec.shape),
        "dtype": spec.dtype.name,
        "scale": spec.scale,
        "zero_point": spec.zero_point,
    }


def _show(inspection: "Inspection") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _rows(inspection):
        table.add_row(name, value)
    _add_info(table, inspection)
    Console(highlight=False, markup=False).print(table)


def _rows(inspection: "Inspection") -> list[tuple[str, str]]:
    coverage = inspection.coverage
    left_out = f"; built-in kernels run {_counts(coverage.left_out)}" if coverage.left_out else ""
    return [
        ("model", f"{inspection.path}  ({inspection.size_bytes / 1e6:.2f} MB)"),
        ("precision", inspection.precision),
        *(("input", _tensor_line(spec)) for spec in inspection.inputs),
        *(("output", _tensor_line(spec)) for spec in inspection.outputs),
        ("labels", ", ".join(inspection.labels) or "none in the file; run, camera and eval take them with --labels"),
        ("operations", f"{sum(inspection.operations.values())}: {_counts(inspection.operations)}"),
        (
            "delegate",
            f"{coverage.delegated} of {coverage.nodes} nodes ({coverage.share:.0%}) "
            f"in {coverage.partitions} partition{'s' if coverage.partitions != 1 else ''}{left_out}",
        ),
    ]


def _add_info(table: "Table", inspection: "Inspection") -> None:
    info = inspection.info
    if info is None:
        table.add_row("made by", "not edge-seg: the file has no edge_seg.json")
        return
    for name, value in _provenance(info):
        table.add_row(name, value)


def _provenance(info: "ModelInfo") -> list[tuple[str, str]]:
    data, calibration = info.data, info.calibration
    rows = [
        ("name", info.name),
        ("metrics", _figures(info.metrics)),
        ("before conversion", _figures(info.float_metrics)),
        ("in float", ", ".join(info.float_layers)),
        (
            "data",
            f"{data.name}, {data.train_images} + {data.val_images} images" + (f", {data.source}" * bool(data.source)),
        ),
        ("data sha256", data.sha256),
        ("data licence", data.licence or "not stated"),
        ("source", info.source),
        ("training", _pairs(info.training)),
        ("calibration", f"{calibration.images} {calibration.choice}" if calibration else ""),
        ("calibration sha256", calibration.sha256 if calibration else ""),
        ("converter", _pairs(info.converter)),
        ("versions", ", ".join(f"{key} {value}" for key, value in info.versions.items())),
    ]
    return [(name, value) for name, value in rows if value]


def _figures(metrics: "Mapping[str, float]") -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())


def _pairs(values: "Mapping[str, object]") -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items())


def _tensor_line(spec: "TensorSpec") -> str:
    shape = "×".join(str(size) for size in spec.shape)
    quantised = f", scale {spec.scale:.6g}, zero point {spec.zero_point}" if spec.scale else ""
    return f"{shape} {spec.dtype.name}{quantised}  ({spec.name})"


def _counts(operations: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in operations.items())
