"""`edge-seg bench share`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.errors import BenchmarkError


def share(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="results.json.")],
    *,
    out: Annotated[Path, typer.Option(help="File to write.")],
) -> None:
    """Write a copy of a results file without host names, user names and folders.

    Example:  edge-seg bench share results/results.json --out shared.json
    """
    if out.exists() and out.samefile(file):
        raise BenchmarkError(f"{out}: is the file that is read; give --out another name")
    from edge_seg_bench.results import read_results, write_results
    from edge_seg_bench.sharing import anonymous, private_words_here

    shared, removed = anonymous(read_results(file), private_words_here())
    write_results(out, shared)
    for what, count in removed.items():
        typer.echo(f"removed {what}, {count}×")
    typer.echo(f"Written to {out}; read it before you publish it: what you wrote into names of models stays")
