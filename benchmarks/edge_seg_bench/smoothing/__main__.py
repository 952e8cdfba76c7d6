"""Flicker and accuracy with and without smoothing: `python -m edge_seg_bench.smoothing --model M --data D`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg.files import check_can_write, write_text
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.smoothing.measuring import Way, measure_model
from edge_seg_bench.smoothing.result import SmoothingReport, Video
from edge_seg_bench.smoothing.table import markdown

_WAYS = (*map(Way, (0.1, 0.2, 0.5, 1.0, 2.0)), Way(0.5, everywhere=True))


def smoothing(
    *,
    model: Annotated[list[Path], typer.Option("--model", "-m", help="A .tflite file that gives scores; repeatable.")],
    data: Annotated[list[Path], typer.Option(help="For each model, in order: a data set folder of its classes.")],
    pictures: Annotated[int, typer.Option(min=1, help="Validation pictures to move over, at most.")] = 25,
    frames: Annotated[int, typer.Option(min=2, help="Frames of each.")] = 40,
    fps: Annotated[float, typer.Option(min=1, help="Frames per second.")] = 10.0,
    out: Annotated[Path, typer.Option(help="JSON file; a Markdown file goes beside it.")] = Path("smoothing.json"),
) -> None:
    """Measure what `edge-seg camera --smooth` does to flicker and accuracy, on videos with known truth.

    A window pans and zooms over validation pictures and their masks, on a wall, in a hand and walking, with
    noise and light that flickers; on a wall once more with another picture's objects going through.

    Example:  python -m edge_seg_bench.smoothing --model models/pets.tflite --data data/pets --out smoothing.json
    """
    if len(model) != len(data):
        raise typer.BadParameter(f"{len(model)} models, but {len(data)} data sets; give one --data for each --model")
    check_can_write(out.parent)
    machine, video = describe_machine(), Video(pictures=pictures, frames=frames, fps=fps)
    scenes = [measure_model(*pair, _WAYS, video, _announce) for pair in zip(model, data, strict=True)]
    created = datetime.now(UTC).isoformat(timespec="seconds")
    report = SmoothingReport(created=created, machine=machine, video=video, scenes=tuple(scenes))
    write_text(out, report.model_dump_json(indent=1) + "\n")
    write_text(out.with_suffix(".md"), markdown(report))
    typer.echo(markdown(report))


def _announce(what: str) -> None:
    typer.echo(what, err=True)


if __name__ == "__main__":
    typer.run(reporting(smoothing))
