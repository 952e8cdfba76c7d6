"""Our models beside the peers: `python -m edge_seg_bench.peers [MODEL...] --data DIR --peers DIR`."""

from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.dataset import Dataset
from edge_seg.errors import BenchmarkError
from edge_seg.files import check_can_write, write_text
from edge_seg.shipped import shipped_models
from edge_seg_bench.peers import environment
from edge_seg_bench.peers.contestants import TFLITE_RUNTIME, Contestant, all_contestants
from edge_seg_bench.peers.descriptions import DESCRIPTIONS, read_descriptions
from edge_seg_bench.peers.measuring import measure_peers
from edge_seg_bench.peers.result import PeersReport
from edge_seg_bench.peers.scoring import Pictures
from edge_seg_bench.peers.table import markdown
from edge_seg_bench.results import Settings, rounds_for
from edge_seg_bench.worker_process import Interpreter


def peers(
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[MODEL...]", help="Models that ship; all inside the package when none is given."),
    ] = None,
    *,
    data: Annotated[Path, typer.Option(help="Data set folder with a class `pet`.")],
    peers: Annotated[Path, typer.Option(help="Folder with other people's models.")],
    split: Annotated[str, typer.Option(help="Of the data set: pictures that no model learned.")] = "val",
    run: Annotated[
        list[Path], typer.Option(help="Folder of a run's models, also timed in other runtimes.", show_default=False)
    ] = [],  # noqa: B006 - typer copies it
    tutorial: Annotated[
        Path | None, typer.Option(help="The tutorial's network as float32 .tflite.", show_default=False)
    ] = None,
    stock_tutorial: Annotated[
        Path | None, typer.Option(help="The same in the stock conversion.", show_default=False)
    ] = None,
    descriptions: Annotated[
        Path, typer.Option(help="What those models are, a .toml file each.", show_default="benchmarks/peers")
    ] = DESCRIPTIONS,
    tflite_python: Annotated[
        Path | None,
        typer.Option(exists=True, help="A Python with tflite_runtime; one is made in the cache.", show_default=False),
    ] = None,
    threads: Annotated[list[int], typer.Option(min=1, max=256, help="CPU threads; give it again for more.")] = [1],  # noqa: B006
    runs: Annotated[int, typer.Option(min=1, help="Measured runs of each row, at least.")] = 100,
    seconds: Annotated[float, typer.Option(min=0, help="Measured seconds of each row, at least.")] = 4.0,
    warmup: Annotated[float, typer.Option(min=0, help="Seconds of warm-up of each row, at most.")] = 3.0,
    limit: Annotated[float, typer.Option(min=0.1, help="Seconds after which a slow row stops short of --runs.")] = 20.0,
    out: Annotated[Path, typer.Option(help="JSON file; a Markdown file goes beside it.")] = Path("peers.json"),
) -> None:
    """Measure the shipped models beside other people's models, and the same weights in other runtimes.

    All rows are timed side by side; pet IoU is measured on the same pictures. The folder of --run is made so:

    edge-seg convert RUN --out FOLDER --to tflite --to onnx --precision float32 --precision int8

    and the tutorial's network, as it is printed, so (the second command for --stock-tutorial):

    edge-seg train --data DATA --out TUTORIAL --decoder transpose --size 128 --freeze --input-range 0,1 --epochs 1

    edge-seg convert TUTORIAL --out FOLDER --precision float32 [--rewrite off --quantizer tensorflow]

    Exit code 1 when a row could not be measured; the others are written all the same.

    Example:  python -m edge_seg_bench.peers --data data/pets --peers ../shared/peers --run models --out peers.json
    """
    if limit < seconds:
        raise typer.BadParameter(f"--limit {limit:g} is below --seconds {seconds:g}; give the same or more")
    contestants = all_contestants(
        models or shipped_models(), run, tutorial, stock_tutorial, read_descriptions(descriptions), peers
    )
    pictures = Pictures(Dataset.open(data), split)
    check_can_write(out.parent)
    settings = Settings(
        runtimes=tuple(dict.fromkeys(runtime for item in contestants for runtime in item.runtimes)),
        threads=tuple(dict.fromkeys(threads)),
        runs=runs,
        seconds=seconds,
        warmup_seconds=warmup,
        limit_seconds=limit,
        rounds=rounds_for(runs),
    )
    report = measure_peers(contestants, settings, pictures, _tflite_python(tflite_python, contestants), _announce)
    write_text(out, report.model_dump_json(indent=1) + "\n")
    write_text(out.with_suffix(".md"), markdown(report))
    typer.echo(markdown(report))
    fail_for(report)


def fail_for(report: PeersReport) -> None:
    """Raise BenchmarkError when a row was not measured, or a model not scored."""
    failed = [f"{row.model} in {row.runtime}: {row.error}" for row in report.board.rows if row.error is not None]
    failed += [f"{entry.title}: {entry.error}" for entry in report.entries if entry.error is not None]
    if failed:
        raise BenchmarkError(f"{len(failed)} of the figures not measured; {failed[0]}")


def _tflite_python(given: Path | None, contestants: tuple[Contestant, ...]) -> Interpreter | str:
    """Return the Python with tflite_runtime, or the sentence why there is none."""
    if not any(TFLITE_RUNTIME in item.runtimes for item in contestants):
        return "no model is run in it"
    try:
        return environment.prepare(_announce) if given is None else environment.interpreter(given)
    except BenchmarkError as error:
        return str(error)


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(peers))
