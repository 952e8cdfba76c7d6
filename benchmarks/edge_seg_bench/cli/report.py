"""`edge-seg bench report`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.extras import require_extra
from edge_seg.files import check_can_write


def report(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="results.json, of one board or more.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for report.html, results.md, results.csv and latency.png.")],
) -> None:
    """Write the reports of recorded results anew.

    Example:  edge-seg bench report results/results.json --out results
    """
    require_extra("report", purpose="report.html of --out")
    check_can_write(out)
    from edge_seg_bench.merging import merge_files
    from edge_seg_bench.report.files import write_reports, written_words

    typer.echo(written_words(out, write_reports(out, merge_files(files))))
