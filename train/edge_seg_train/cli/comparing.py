"""`edge-seg train compare`: the classic experiments on one data set, and what comes of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from edge_seg.cli.options import JsonOption
from edge_seg.cli.quitting import interrupt, quit_on_sigterm
from edge_seg.cli.reporting import EXIT_INTERRUPTED
from edge_seg.files import check_can_write
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.cli import options
from edge_seg_train.cli.options import resolved_config
from edge_seg_train.comparison.experiments import (
    VARIANTS,
    Comparison,
    VariantName,
    as_records,
    chosen_variants,
    compare,
)
from edge_seg_train.comparison.results import read_result
from edge_seg_train.comparison.table import variant_table
from edge_seg_train.comparison.terminal import terminal_table
from edge_seg_train.run_status import is_finished

_EPOCHS = 15
_TERMINAL_COLUMNS = (0, 2, 3, 5, 6, 7)

Configs = Mapping[VariantName, RunConfig]


def compare_variants(
    data: Annotated[Path, typer.Option(help="Data set folder.")],
    out: Annotated[Path, typer.Option(help="Folder for the runs and the report.")] = Path("compared"),
    only: Annotated[
        list[VariantName] | None, typer.Option(help="Run this one; several times for several.", show_default="all")
    ] = None,
    size: options.Size = None,
    alpha: options.Alpha = None,
    epochs: Annotated[int, typer.Option(help="Of each variant.", min=1)] = _EPOCHS,
    batch_size: options.BatchSize = None,
    encoder_weights: options.EncoderWeights = None,
    seed: options.Seed = None,
    target_miou: Annotated[
        float | None,
        typer.Option(
            help="Say how long each takes to reach this.", min=0.0, max=1.0, show_default="95 % of the best of base"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train six variants with one seed and budget, and lay them side by side.

    base (frozen encoder), dropout, fine-tuned, input-0-1, transpose (decoder)
    and dropout-fine-tuned: each is a run folder OUT/<name>, and OUT/report.html
    and report.md compare all that are there. After Ctrl-C the same command goes
    on; what is finished is not run again.

    Example:  edge-seg train compare --data pets --epochs 20

    Example:  edge-seg train compare --data pets --out compared --only base --only dropout
    """
    shared: dict[str, Any] = {
        "data": data,
        "size": size,
        "alpha": alpha,
        "epochs": epochs,
        "batch_size": batch_size,
        "encoder_weights": encoder_weights,
        "seed": seed,
    }
    configs = {variant.name: resolved_config(None, shared | dict(variant.options)) for variant in VARIANTS}
    with quit_on_sigterm(interrupt):
        _prepare(configs, out)
        _run(configs, [variant.name for variant in chosen_variants(only or ())], out)
        comparison = _report(configs, out, target_miou)
    if as_json:
        typer.echo(json.dumps(as_records(comparison), indent=2))
        return
    Console().print(terminal_table(variant_table(comparison).columns(*_TERMINAL_COLUMNS)))
    Console().print(f"report   {out / 'report.html'}", soft_wrap=True, highlight=False)


def _prepare(configs: Configs, out: Path) -> None:
    """Find what would stop a later variant before the first one trains."""
    from edge_seg_train.tensorflow_setup import prepare_tensorflow

    prepare_tensorflow()
    from edge_seg_train.comparison.runs import check_same_settings
    from edge_seg_train.distribution import check_one_machine

    check_one_machine("train compare")
    check_can_write(out)
    for name, config in configs.items():
        check_same_settings(RunFolder(out / name), config)


def _run(configs: Configs, names: list[VariantName], out: Path) -> None:
    from edge_seg_train.comparison.runs import advance
    from edge_seg_train.live_table import TerminalProgress

    console = Console(stderr=True)
    for number, name in enumerate(names, start=1):
        folder, heading = RunFolder(out / name), f"[bold]{name}[/] ({number} of {len(names)})"
        if is_finished(folder):
            console.print(f"{heading}: finished already", highlight=False)
            continue
        console.print(heading, highlight=False)
        with TerminalProgress(console) as progress:
            run = advance(configs[name], folder, progress)
        if run.interrupted:
            console.print("interrupted: all that is done is kept; the same command goes on", soft_wrap=True)
            raise typer.Exit(EXIT_INTERRUPTED)


def _report(configs: Configs, out: Path, target_miou: float | None) -> Comparison:
    from edge_seg_train.comparison.pictures import look_at
    from edge_seg_train.comparison.report import write_report

    all_folders = {str(name): RunFolder(out / name) for name in configs}
    folders = {name: folder for name, folder in all_folders.items() if is_finished(folder)}
    results = {name: read_result(folder.path) for name, folder in folders.items()}
    with Console(stderr=True).status("predicting pictures and writing the report"):
        looked_at = look_at(folders, next(iter(configs.values())), out)
        comparison = compare(results, looked_at.trained_parameters, target_miou)
        first = next(iter(folders.values()))
        write_report(out, comparison, looked_at.pictures, first.read_manifest())
    return comparison
