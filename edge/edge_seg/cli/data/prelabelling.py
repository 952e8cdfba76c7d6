"""`edge-seg data prelabel`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from edge_seg.cli.data.exporting import VIA_HINT
from edge_seg.cli.data.terminal import console, tracked
from edge_seg.cli.options import (
    InputRangeOption,
    JsonOption,
    LabelsOption,
    ModelOption,
    RuntimeOption,
    ThreadsOption,
    load_segmenter,
)
from edge_seg.errors import EdgeSegError, SourceError
from edge_seg.runtimes import DEFAULT_RUNTIME


def prelabel(
    images: Annotated[Path, typer.Argument(help="Folder of pictures without labels.")],
    *,
    out: Annotated[
        Path, typer.Option("--out", help="The VIA 2 project to write; it must not exist yet.", resolve_path=True)
    ],
    model: ModelOption = None,
    classes: Annotated[
        str, typer.Option(metavar="A,B", help="Draw these classes alone.", show_default="all but the background")
    ] = "",
    exclude_classes: Annotated[str, typer.Option(metavar="A,B", help="Take these classes as background.")] = "",
    least_share: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out regions of a smaller share of the picture.")
    ] = 0.001,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1000,
            help="How many pixels simplifying may move an outline.",
            show_default="half a pixel of the model's input",
        ),
    ] = None,
    threads: ThreadsOption = 1,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out files that cannot be decoded.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Segment pictures with a model and write polygons to correct in VGG Image Annotator 2.

    Correct them there, save the project, and make a data set of it with  edge-seg data import via.
    """
    from edge_seg.prelabelling import prelabel as prelabel_images
    from edge_seg.prelabelling import select_classes
    from edge_seg.sources.images import open_folder

    if not images.is_dir():
        raise SourceError(f"{images}: is no folder; name the folder that holds the pictures")
    segmenter = load_segmenter(model, runtime=runtime, threads=threads, labels=labels, input_range=input_range)
    report = prelabel_images(
        segmenter,
        open_folder(images, _tell_skipped if skip_bad else None),
        images,
        out,
        drawn=select_classes(segmenter.classes, only=_names(classes), without=_names(exclude_classes)),
        tolerance_px=tolerance,
        least_share=least_share,
        track=tracked,
    )
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    terminal = console()
    counts = f"{report.pictures} pictures, {report.regions} regions, {report.points} points written to {out}"
    terminal.print(escape(counts))
    if report.empty:
        terminal.print(escape(f"{len(report.empty)} pictures have no region, first {report.empty[0]}"))
    terminal.print(VIA_HINT, style="dim")


def _tell_skipped(error: EdgeSegError) -> None:
    console(stderr=True).print(f"skipped  {escape(str(error))}", style="yellow")


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
