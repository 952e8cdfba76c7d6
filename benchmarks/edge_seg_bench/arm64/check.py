"""Whether a frame takes more ARM instructions than was recorded: `python -m edge_seg_bench.arm64.check RECORD`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.shipped import shipped_models
from edge_seg_bench.arm64.cores import CORES
from edge_seg_bench.arm64.counting import Wanted, count_all
from edge_seg_bench.arm64.growth import (
    change_lines,
    changes,
    check_complete,
    check_growth,
    version_lines,
)
from edge_seg_bench.arm64.parts import PARTS
from edge_seg_bench.arm64.report import read_report
from edge_seg_bench.arm64.userland import default_folder
from edge_seg_bench.assembly import display_names
from edge_seg_bench.cli.percentages import parse_percentage


def check(
    record: Annotated[
        Path, typer.Argument(metavar="RECORD", help="What `python -m edge_seg_bench.arm64 --out` wrote.")
    ],
    *,
    fail_on: Annotated[str, typer.Option(metavar="PERCENT", help="Growth beyond which this fails.")] = "3%",
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the arm64 Python is kept; without it, in your cache.", show_default=False),
    ] = None,
) -> None:
    """Count the shipped models again, and fail when a part of a frame takes more ARM instructions than recorded.

    Exit code 1 when a count grew too much, or when the record is not of all models that ship.

    Example:  python -m edge_seg_bench.arm64.check benchmarks/results/arm64.json
    """
    most, recorded, models = parse_percentage(fail_on, "--fail-on"), read_report(record), shipped_models()
    check_complete(recorded, display_names(models), CORES, PARTS)
    now = count_all(Wanted(models, CORES, tuple(PARTS), recorded.runtime), folder or default_folder(), _announce)
    found = changes(recorded, now)
    typer.echo("\n".join([*change_lines(found, most), *version_lines(recorded, now)]))
    check_growth(found, most)


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(check))
