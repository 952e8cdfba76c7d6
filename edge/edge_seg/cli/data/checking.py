"""`edge-seg data check`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge_seg.cli.data.options import DataFolder
from edge_seg.cli.data.terminal import console, tracked
from edge_seg.cli.reporting import EXIT_FAILED
from edge_seg.errors import SinkError

if TYPE_CHECKING:
    from edge_seg.dataset.checks import CheckReport, Finding
    from edge_seg.dataset.repair import Repair

_SHOWN_PER_KIND = 3
_COLOURS = {"error": "red", "warning": "yellow"}


def check(
    folder: DataFolder,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print all findings as JSON.")] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="PAGE", help="Also write a page with the pictures in question.", show_default="none"),
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Write a copy to this new folder with what has one meaning repaired: modes, orientation, "
            "scales, suffixes; then check the copy. The original stays as it is.",
            show_default="none",
        ),
    ] = None,
) -> None:
    """Find everything wrong with a data set; exit 1 if anything keeps it from being used."""
    if html is not None:
        _check_page(html)
    from edge_seg.dataset import Dataset
    from edge_seg.dataset.checks import check_dataset
    from edge_seg.dataset.repair import repair_dataset

    dataset = Dataset.open(folder)
    repairs = repair_dataset(dataset, fix, track=tracked) if fix is not None else ()
    dataset = Dataset.open(fix) if fix is not None else dataset
    report = check_dataset(dataset, track=tracked)
    if html is not None:
        from edge_seg.dataset.checks.page import write_page

        write_page(html, dataset, report, repairs)
    if as_json:
        typer.echo(json.dumps(_content(report, repairs), indent=2, ensure_ascii=False))
    else:
        _print_repairs(repairs, fix)
        _print_report(report, dataset.folder, html)
    if report.errors:
        raise typer.Exit(EXIT_FAILED)


def _check_page(html: Path) -> None:
    from edge_seg.extras import require_module

    if html.suffix.lower() != ".html":
        raise SinkError(f"{html}: its suffix '{html.suffix}' is not that of a page; give .html")
    require_module("jinja2", extra="data", purpose=f"writing {html.name}")


def _content(report: "CheckReport", repairs: "Sequence[Repair]") -> dict[str, object]:
    return {
        "ok": not report.errors,
        "repairs": [asdict(item) for item in repairs],
        "findings": [item.content() for item in report.findings],
        "splits": {name: asdict(summary) for name, summary in report.splits.items()},
    }


def _print_repairs(repairs: "Sequence[Repair]", out: Path | None) -> None:
    if out is None:
        return
    for item in repairs:
        console().print(f"[green]repaired[/] {escape(item.sentence)}")
    console().print(f"{_counted(len(repairs), 'repair')}, in the copy {escape(str(out))}\n")


def _print_report(report: "CheckReport", folder: Path, html: Path | None) -> None:
    from edge_seg.dataset.checks import KINDS

    terminal = console()
    terminal.print(_share_table(report))
    for kind, findings in report.by_kind.items():
        _print_kind(terminal, KINDS[kind].severity, KINDS[kind].title, findings)
    verdict = f"{_counted(len(report.errors), 'error')}, {_counted(len(report.warnings), 'warning')}"
    terminal.print(f"{escape(str(folder))}: {verdict if report.findings else 'no problem found'}")
    if html is not None:
        terminal.print(f"The pictures in question are on {escape(str(html))}")
    elif any(len(findings) > _SHOWN_PER_KIND for findings in report.by_kind.values()):
        terminal.print(f"See them all with  edge-seg data check {escape(str(folder))} --html check.html", style="dim")


def _print_kind(terminal: Console, severity: str, title: str, findings: "Sequence[Finding]") -> None:
    label = f"[{_COLOURS[severity]}]{severity:9}[/]"
    if len(findings) == 1:
        terminal.print(f"{label}{escape(findings[0].sentence)}")
        return
    terminal.print(f"{label}{title}: {len(findings)}")
    for finding in findings[:_SHOWN_PER_KIND]:
        terminal.print(f"           {escape(finding.sentence)}")
    if len(findings) > _SHOWN_PER_KIND:
        terminal.print(f"           and {len(findings) - _SHOWN_PER_KIND} more")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _share_table(report: "CheckReport") -> Table:
    """Rows are classes, columns are splits, cells are shares of the labelled pixels and counts of pictures."""
    table = Table("class", title="Share of pixels, and pictures that hold the class", title_justify="left")
    for split, summary in report.splits.items():
        table.add_column(f"{escape(split)}\n{_counted(summary.pictures, 'picture')}", justify="right")
    for name in dict.fromkeys(name for summary in report.splits.values() for name in summary.pixel_shares):
        cells = (f"{item.pixel_shares[name]:.1%}  {item.class_pictures[name]:>6}" for item in report.splits.values())
        table.add_row(escape(name), *cells)
    table.add_row("ignored", *(f"{item.ignored_share:.1%}{' ' * 8}" for item in report.splits.values()), style="dim")
    return table
