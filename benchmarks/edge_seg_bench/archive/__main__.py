"""Ray against the processes of one machine: `python -m edge_seg_bench.archive`."""

import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.errors import BenchmarkError
from edge_seg.extras import require_extra
from edge_seg.files import check_can_write, write_text
from edge_seg.shipped import find_model
from edge_seg_bench.archive.measuring import measure_run
from edge_seg_bench.archive.result import ArchiveReport, Run
from edge_seg_bench.archive.serial import measure_serial
from edge_seg_bench.archive.table import markdown, missed
from edge_seg_bench.device_folder import write_folder
from edge_seg_bench.machine import describe_machine

_WAYS = ("local", "ray")


def archive(
    *,
    model: Annotated[str | None, typer.Option("--model", "-m", help="As `edge-seg run` takes it.")] = None,
    pictures: Annotated[int, typer.Option(min=100, help="Pictures of each run.")] = 5000,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each kind.")] = 4,
    workers: Annotated[list[int], typer.Option(min=1, help="Numbers of workers, each on as many cores.")] = [1, 2],  # noqa: B006
    rows: Annotated[int, typer.Option(min=1000, help="Pictures that the serial part is timed with.")] = 1_000_000,
    price: Annotated[float, typer.Option(min=0, help="Of a core for an hour.")] = 0.04,
    currency: Annotated[str, typer.Option(help="That the price is in.")] = "USD",
    out: Annotated[Path, typer.Option(help="JSON file; a Markdown file goes beside it.")] = Path("archive.json"),
) -> None:
    """Measure `edge-seg run --ray` against `edge-seg run` on the same pictures and the same cores.

    Exit code 1 when Ray reaches less than 0.9 of the local throughput once both run.

    Example:  python -m edge_seg_bench.archive --out archive.json
    """
    require_extra("cluster", purpose="this benchmark")
    check_can_write(out.parent)
    machine, file = describe_machine(), find_model(model)
    with tempfile.TemporaryDirectory(prefix="edge-seg-archive-") as folder:
        write_folder(Path(folder, "pictures"), pictures)
        measured = [_round(file, Path(folder), workers, f"{index + 1} of {rounds}") for index in range(rounds)]
    typer.echo(f"the serial part of {rows:,} pictures", err=True)
    report = ArchiveReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        machine=machine,
        model=file.stem,
        pictures=pictures,
        price_per_core_hour=price,
        currency=currency,
        rounds=tuple(measured),
        serial=measure_serial(rows),
    )
    write_text(out, report.model_dump_json(indent=1) + "\n")
    write_text(out.with_suffix(".md"), markdown(report))
    typer.echo(markdown(report))
    if missed(report):
        raise BenchmarkError("; ".join(missed(report)))


def _round(model: Path, folder: Path, workers: list[int], which: str) -> tuple[Run, ...]:
    runs: list[Run] = []
    for count in workers:
        for way in _WAYS:
            runs.append(measure_run(model, folder / "pictures", folder / "out", way, count))
            typer.echo(f"round {which}: {way}, {count} workers: {runs[-1].total_s:.1f} s", err=True)
    return tuple(runs)


if __name__ == "__main__":
    typer.run(reporting(archive))
