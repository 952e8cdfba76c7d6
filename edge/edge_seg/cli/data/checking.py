"""`edge-seg data check`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from edge_seg.cli.data.options import DataFolder
from edge_seg.cli.data.terminal import console, tracked
from edge_seg.cli.reporting import EXIT_FAILED

if TYPE_CHECKING:
    from edge_seg.dataset.checks import CheckReport


def check(
    folder: DataFolder,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find everything wrong with a data set; exit 1 if anything keeps it from being used."""
    from edge_seg.dataset import Dataset
    from edge_seg.dataset.checks import check_dataset

    report = check_dataset(Dataset.open(folder), track=tracked)
    if as_json:
        content = {"ok": not report.errors} | asdict(report)
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print_report(report, folder)
    if report.errors:
        raise typer.Exit(EXIT_FAILED)


def _print_report(report: "CheckReport", folder: Path) -> None:
    terminal = console()
    terminal.print(_share_table(report))
    for finding in report.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        terminal.print(f"[{colour}]{finding.severity:8}[/]{escape(finding.sentence)}")
    verdict = f"{len(report.errors)} errors, {len(report.warnings)} warnings"
    terminal.print(f"{escape(str(folder))}: {verdict if report.findings else 'no problem found'}")


def _share_table(report: "CheckReport") -> Table:
    """Rows are classes, columns are splits, cells are shares of the labelled pixels."""
    table = Table("class", title="Share of pixels", title_justify="left")
    for split, summary in report.splits.items():
        table.add_column(f"{split} ({summary.pictures})", justify="right")
    summaries = list(report.splits.values())
    for name in summaries[0].pixel_shares if summaries else ():
        table.add_row(escape(name), *(f"{item.pixel_shares[name]:.1%}" for item in summaries))
    table.add_row("ignored", *(f"{item.ignored_share:.1%}" for item in summaries), style="dim")
    return table
