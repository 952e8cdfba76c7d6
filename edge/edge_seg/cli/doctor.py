"""`edge-seg doctor`: what this machine is, what is wrong with it, and what cures it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import JsonOption
from edge_seg.cli.reporting import EXIT_FAILED

if TYPE_CHECKING:
    from rich.console import Console

    from edge_seg.doctor.examination import Examination

_MARGIN = 11


def doctor(
    folder: Annotated[
        Path, typer.Option(help="Where results will be written: its disk is looked at.", exists=True, file_okay=False)
    ] = Path(),
    root: Annotated[Path, typer.Option(hidden=True, help="Read /proc, /sys, /dev and /etc below this.")] = Path("/"),
    as_json: JsonOption = False,
) -> None:
    """Look at board, system, runtime, cameras, power and disk; say what is wrong and what cures it.

    Ends with exit code 1 when there is a problem that keeps a camera from running; warnings leave it 0.

    Example:  edge-seg doctor
    """
    from edge_seg.doctor.examination import examine
    from edge_seg.doctor.finding import Level

    examination = examine(root, folder.resolve())
    if as_json:
        from edge_seg.doctor.report import as_dict

        typer.echo(json.dumps(as_dict(examination), indent=2))
    else:
        _show(examination)
    if any(finding.level is Level.PROBLEM for finding in examination.findings):
        raise typer.Exit(EXIT_FAILED)


def _show(examination: "Examination") -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table

    from edge_seg.doctor.report import sections

    console = Console(highlight=False, markup=False)
    for title, rows in sections(examination):
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column(style="bold", no_wrap=True, min_width=12)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(name, value)
        console.print(title, style="bold underline")
        console.print(Padding(table, (0, 0, 1, 2)))
    _show_findings(console, examination)


def _show_findings(console: "Console", examination: "Examination") -> None:
    from rich.table import Table
    from rich.text import Text

    from edge_seg.doctor.finding import Level

    if not examination.findings:
        console.print("Nothing is wrong.", style="bold green")
    for finding in examination.findings:
        bad = finding.level is Level.PROBLEM
        head = Text(f"{'✗' if bad else '!'} {finding.level}", style="bold red" if bad else "bold yellow")
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, min_width=_MARGIN - 2)
        table.add_row(head, Text(finding.what))
        if finding.advice:
            table.add_row("", Text(finding.advice, style="dim"))
        console.print(table)
        if finding.command:  # not broken into lines, so that it can be copied
            console.print(Text(f"{'':{_MARGIN}}{finding.command}", style="cyan"), soft_wrap=True)
