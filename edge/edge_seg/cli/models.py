"""`edge-seg models`: what ships with the package."""

import json
from pathlib import Path
from typing import Any

import typer

from edge_seg.cli.options import JsonOption


def models(as_json: JsonOption = False) -> None:
    """List the models that ship with the package: size, classes, metrics, licence of their data.

    Example:  edge-seg models --json
    """
    from edge_seg.shipped import shipped_models

    rows = [_row(path) for path in shipped_models()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    elif rows:
        _show(rows)
    else:
        typer.echo("this installation ships no model; make one with  edge-seg train  and  edge-seg convert")


def _row(path: Path) -> dict[str, Any]:
    from edge_seg.model_info import read_model_info

    row: dict[str, Any] = {"name": path.stem, "path": str(path), "size_bytes": path.stat().st_size}
    info = read_model_info(path)
    if info is None:
        return row
    return {
        **row,
        "input_size": [info.input_height, info.input_width],
        "precision": info.precision,
        "classes": [item.name for item in info.classes],
        "metrics": info.metrics,
        "data": info.data.name,
        "licence": info.data.licence,
    }


def _show(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("model", "size", "input", "precision", "classes", "mIoU", "data", "its licence")
    for row in rows:
        height, width = row.get("input_size", ("?", "?"))
        miou = row.get("metrics", {}).get("miou")
        table.add_row(
            row["name"],
            f"{row['size_bytes'] / 1e6:.2f} MB",
            f"{width}×{height}",
            row.get("precision", "?"),
            ", ".join(row.get("classes", [])),
            f"{miou:.3f}" if miou is not None else "?",
            row.get("data", "?"),
            row.get("licence") or "not stated",
        )
    Console(highlight=False, markup=False).print(table)
