"""`edge-seg data export`."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.markup import escape

from edge_seg.cli.data.options import DataFolder
from edge_seg.cli.data.terminal import console, tracked
from edge_seg.cli.options import JsonOption

if TYPE_CHECKING:
    from edge_seg.dataset import Dataset, Sample

exporting = typer.Typer(no_args_is_help=True)

VIA_HINT = "Put VIA 2's via.html beside it, where it finds the pictures; load with  Project, Load  and save there"

OutFile: TypeAlias = Annotated[
    Path, typer.Option("--out", help="The JSON file to write; it must not exist yet.", resolve_path=True)
]
OutPair: TypeAlias = Annotated[
    Path, typer.Option("--out", help="The folder to make; it must not exist yet.", resolve_path=True)
]
Split: TypeAlias = Annotated[
    str | None, typer.Option(help="Export this split alone: train, val or test.", show_default="all splits")
]
LeastIou: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="IoU with the mask that every class of a picture keeps; 1 is exact.")
]
Tolerance: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0, max=1000, help="How many pixels an outline may move, in place of --least-iou.", show_default="by IoU"
    ),
]


@exporting.command(epilog="Example:  edge-seg data export via bottles --out bottles-via.json")
def via(
    folder: DataFolder,
    *,
    out: OutFile,
    split: Split = None,
    least_iou: LeastIou = 0.99,
    tolerance: Tolerance = None,
    least_share: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out regions of a smaller share of the picture.")
    ] = 0.0,
    as_json: JsonOption = False,
) -> None:
    """Export to a project of VGG Image Annotator 2, with polygons of few points.

    Regions lie over earlier ones, and a hole is a region of the background.
    """
    from edge_seg.dataset import Dataset
    from edge_seg.exporters import export_via
    from edge_seg.outlines import Pen

    dataset = Dataset.open(folder)
    pen = Pen(least_iou, tolerance, least_share)
    report = export_via(dataset, _samples(dataset, split), out, pen, track=tracked)
    if as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    _tell(f"{report.pictures} pictures, {report.regions} regions, {report.points} points written to {out}")
    worst = f"; the worst is {report.worst_picture} with {report.worst_iou:.4f}" if report.worst_picture else ""
    _tell(f"IoU with the masks {report.mean_iou:.4f} in the mean{worst}")
    console().print(VIA_HINT, style="dim")
    _tell_way_back("via", out, dataset)


@exporting.command(epilog="Example:  edge-seg data export coco bottles --out bottles.json")
def coco(folder: DataFolder, *, out: OutFile, split: Split = None, as_json: JsonOption = False) -> None:
    """Export to COCO with run-length masks: nothing is lost, holes included.

    One annotation for each connected region of each class; the background has none.
    """
    from edge_seg.dataset import Dataset
    from edge_seg.exporters import export_coco

    dataset = Dataset.open(folder)
    report = export_coco(dataset, _samples(dataset, split), out, track=tracked)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    _tell(f"{report.pictures} pictures, {report.annotations} annotations written to {out}")
    _tell_way_back("coco", out, dataset)


@exporting.command(epilog="Example:  edge-seg data export masks bottles --out bottles-masks")
def masks(folder: DataFolder, *, out: OutPair, split: Split = None, as_json: JsonOption = False) -> None:
    """Export to a plain pair of folders: images/ and masks/ with class ids, and classes.txt.

    A mask is a palette PNG, one byte per pixel; 255 is ignored. Line 1 of classes.txt is class 0.
    """
    from edge_seg.dataset import Dataset
    from edge_seg.exporters import export_masks

    dataset = Dataset.open(folder)
    count = export_masks(dataset, _samples(dataset, split), out, track=tracked)
    if as_json:
        typer.echo(json.dumps({"pictures": count}))
        return
    _tell(f"{count} pictures with masks written to {out}")


def _samples(dataset: "Dataset", split: str | None) -> Sequence["Sample"]:
    """The samples of one split or of all, each picture once, by name."""
    from edge_seg.dataset.folder import SPLITS

    if split:
        return dataset.samples(split)
    chosen = [sample for name in SPLITS if dataset.has_split(name) for sample in dataset.samples(name)]
    return sorted(set(chosen), key=lambda item: item.name) or dataset.samples(SPLITS[0])


def _tell_way_back(kind: str, file: Path, dataset: "Dataset") -> None:
    """Print the import that numbers the classes as here, the background before them."""
    from edge_seg.exporters import Labels

    labels = Labels.of(dataset.classes, dataset.ignore_id)
    words = ["edge-seg", "data", "import", kind, str(file), "--images", str(dataset.folder / "images")]
    words += ["--background", labels.canvas] if labels.canvas != "background" else []
    if not any("," in name for name in labels.drawn):  # such names cannot be listed; the file has their order too
        words += ["--classes", ",".join(labels.drawn)]
    console().print(escape(f"Read it back with  {shlex.join(words)} --out FOLDER"), style="dim")


def _tell(sentence: str) -> None:
    console().print(escape(sentence))
