"""`edge-seg bench merge`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.extras import require_extra
from edge_seg.files import check_can_write


def merge(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="results.json of each board.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the joined results.json and its reports.")],
) -> None:
    """Join the results of several boards into one file and one report.

    Example:  edge-seg bench merge pi4/results.json pi5/results.json --out boards
    """
    require_extra("report", purpose="report.html of --out")
    check_can_write(out)
    from edge_seg_bench.board_names import board_names
    from edge_seg_bench.merging import merge_files
    from edge_seg_bench.report.files import write_with_reports, written_words

    results = merge_files(files)
    written = write_with_reports(out, results)
    typer.echo("\n".join(board_names(results.boards)))
    typer.echo(written_words(out, written))
