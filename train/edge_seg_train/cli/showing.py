"""`edge-seg train show`: runs beside each other."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from edge_seg.cli.options import JsonOption
from edge_seg.errors import TrainingError
from edge_seg_train.comparison.experiments import Result, differing_fields, result_record
from edge_seg_train.comparison.results import only_runs, read_results
from edge_seg_train.comparison.table import difference_table, iou_table, run_table
from edge_seg_train.comparison.terminal import columns_that_fit, terminal_table


def show_runs(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", metavar="RUN")],
    as_json: JsonOption = False,
) -> None:
    """Compare runs: what they are, how good, how fast, and what differs in them.

    Example:  edge-seg train show runs/pets runs/pets-dropout

    Example:  edge-seg train show compared/* --json
    """
    named, others = only_runs(runs)
    if not named:
        raise TrainingError(f"{runs[0]}: is no run; make one with  edge-seg train --data DIR --out RUN")
    if others:
        typer.echo(f"left out, as they are no runs: {', '.join(map(str, others))}", err=True)
    results = read_results(named)
    if as_json:
        typer.echo(json.dumps(_records(results, named), indent=2))
        return
    console = Console()
    console.print(terminal_table(run_table(results)))
    for number, block in enumerate(iou_table(results).blocks(columns_that_fit(console.width))):
        console.print(terminal_table(block, "" if number else "IoU per class, best epoch"))
    differences = difference_table(results)
    if differences is not None:
        for number, block in enumerate(differences.blocks(columns_that_fit(console.width))):
            console.print(terminal_table(block, "" if number else "What differs"))


def _records(results: list[Result], runs: list[Path]) -> list[dict[str, Any]]:
    fields = set(differing_fields([result.config for result in results]))
    return [
        {
            "name": result.name,
            "path": str(path),
            "finished": result.finished,
            "size": [result.config.width, result.config.height],
            "alpha": result.config.alpha,
            "decoder": result.config.decoder,
            "planned_epochs": result.config.epochs,
            **result_record(result),
            "differs": result.config.model_dump(mode="json", include=fields),
        }
        for result, path in zip(results, runs, strict=True)
    ]
