"""`edge-seg bench compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.errors import BenchmarkError
from edge_seg_bench.cli.percentages import parse_percentage

if TYPE_CHECKING:
    from edge_seg_bench.comparing import Changes

_STYLES = {"slower": "red", "faster": "green"}
_TEXT_COLUMNS = (0, 1, 6)


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="results.json of before.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="results.json of after.")],
    *,
    fail_on: Annotated[
        str | None,
        typer.Option(metavar="N%", help="Exit code 1 when a row is slower by more, beyond noise.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON on stdout.")] = False,
) -> None:
    """Say what became slower or faster between two results of one machine.

    Example:  edge-seg bench compare old/results.json new/results.json --fail-on 5%
    """
    margin = None if fail_on is None else parse_percentage(fail_on, "--fail-on")
    from edge_seg_bench.comparing import compare_boards
    from edge_seg_bench.results import only_board, read_results

    changes = compare_boards(only_board(read_results(old), old), only_board(read_results(new), new))
    if as_json:
        typer.echo(changes.model_dump_json(indent=1))
    else:
        _show(changes)
    if margin is not None:
        _fail_for(changes, margin)


def _show(changes: "Changes") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from edge_seg_bench.changes_text import HEADERS, sentences, table_rows

    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(HEADERS):
        justify = "left" if index in _TEXT_COLUMNS else "right"
        table.add_column(header, justify=justify, overflow="fold", no_wrap=index > 0)
    for cells in table_rows(changes):
        table.add_row(*map(Text, cells), style=_STYLES.get(cells[-1]))
    console.print(table)
    console.print()
    for sentence in sentences(changes):
        console.print(Text(sentence, style="dim"), soft_wrap=True)


def _fail_for(changes: "Changes", margin: float) -> None:
    from edge_seg_bench.comparing import failures
    from edge_seg_bench.rendering import row_words

    if changes.other_machine:
        raise BenchmarkError(
            f"--fail-on compares two results of one machine, and these are of two "
            f"({'; '.join(changes.other_machine)}); measure both on one, or leave --fail-on out"
        )
    failed = failures(changes, margin)
    if failed:
        raise BenchmarkError(
            f"{len(failed)} of {len(changes.rows) + len(changes.failed)} rows failed or became slower by more than "
            f"{100 * margin:g}%: {', '.join(map(row_words, failed))}"
        )
    typer.echo(f"no row failed, and none became slower by more than {100 * margin:g}%, beyond the noise", err=True)
