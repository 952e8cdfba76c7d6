"""Our conversion beside the peers: `python -m edge_seg_bench.conversion FOLDER... --stock FOLDER...`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.errors import BenchmarkError
from edge_seg.extras import require_extra
from edge_seg.files import check_can_write, write_text
from edge_seg_bench.conversion.folders import Network, pair_folders
from edge_seg_bench.conversion.instructions import check_can_count, with_instructions
from edge_seg_bench.conversion.measuring import measure_network
from edge_seg_bench.conversion.result import ConversionReport, ThreadSampling
from edge_seg_bench.conversion.table import markdown
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.results import rounds_for

_THREADS = (1, 2)
_DISTRIBUTIONS = ("edge-seg", "ai-edge-litert", "openvino", "onnxruntime", "numpy")


def conversion(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="What `edge-seg convert RUN --out FOLDER` wrote.")
    ],
    *,
    stock: Annotated[
        list[Path],
        typer.Option(help="For each FOLDER, in order: the same run converted without us, .tflite and .onnx."),
    ],
    arm: Annotated[bool, typer.Option("--arm", help="Count ARM instructions too, on emulated cores.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="Measured runs of each row, at least.")] = 100,
    seconds: Annotated[float, typer.Option(min=0, help="Measured seconds of each row, at least.")] = 4.0,
    warmup: Annotated[float, typer.Option(min=0, help="Seconds of warm-up of each row, at most.")] = 3.0,
    limit: Annotated[float, typer.Option(min=0.1, help="Seconds after which a slow row stops short of --runs.")] = 20.0,
    out: Annotated[Path, typer.Option(help="JSON file; a Markdown file goes beside it.")] = Path("conversion.json"),
) -> None:
    """Measure converted models in all precisions beside OpenVINO and ONNX Runtime on the stock conversion.

    The stock conversion of a run is made so:

    edge-seg convert RUN --out STOCK --precision float32 --precision int8 --rewrite off --quantizer tensorflow

    edge-seg convert RUN --out STOCK --to onnx

    Exit code 1 when a row could not be measured; the others are written all the same.

    Example:  python -m edge_seg_bench.conversion models/pets --stock stock/pets --arm --out conversion.json
    """
    if limit < seconds:
        raise typer.BadParameter(f"--limit {limit:g} is below --seconds {seconds:g}; give the same or more")
    require_extra("peers", purpose="the comparison with OpenVINO and ONNX Runtime")
    networks = pair_folders(folders, stock)
    check_can_write(out.parent)
    if arm:
        check_can_count()
    samplings = [
        ThreadSampling(
            threads=threads,
            runs=runs,
            seconds=seconds,
            warmup_seconds=warmup,
            limit_seconds=limit,
            rounds=rounds_for(runs),
        )
        for threads in _THREADS
    ]
    report = measure(networks, samplings)
    _write(out, report)
    if arm:
        report = with_instructions(networks, report, _announce)
        _write(out, report)
    typer.echo(markdown(report))
    _fail_for(report)


def measure(networks: Sequence[Network], samplings: Sequence[ThreadSampling]) -> ConversionReport:
    """Measure every network, one after the other."""
    machine = describe_machine()
    results = [measure_network(network, samplings, _announce) for network in networks]
    return ConversionReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={name: version(name) for name in _DISTRIBUTIONS},
        machine=machine,
        samplings=tuple(samplings),
        networks=tuple(results),
    )


def _write(out: Path, report: ConversionReport) -> None:
    write_text(out, report.model_dump_json(indent=1) + "\n")
    write_text(out.with_suffix(".md"), markdown(report))


def _announce(what: str) -> None:
    typer.echo(what, err=True)


def _fail_for(report: ConversionReport) -> None:
    rows = [row for network in report.networks for row in network.rows]
    failed = [row for row in rows if row.error is not None]
    if failed:
        first = failed[0]
        raise BenchmarkError(f"{len(failed)} of {len(rows)} rows not measured; {first.file}: {first.error}")


if __name__ == "__main__":
    typer.run(reporting(conversion))
