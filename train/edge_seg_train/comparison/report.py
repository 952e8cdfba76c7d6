"""report.html and report.md of a comparison."""

from collections.abc import Sequence
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.contact_sheet import contact_sheet
from edge_seg.dataset import Manifest
from edge_seg.drawing import draw_overlay
from edge_seg.files import write_bytes, write_text
from edge_seg.images import RgbImage, write_image
from edge_seg.pages import data_uri, embedded, render
from edge_seg_train.comparison.curves import draw_curves
from edge_seg_train.comparison.experiments import Comparison, differing_fields
from edge_seg_train.comparison.pictures import ComparedPicture
from edge_seg_train.comparison.table import iou_table, markdown, score, setting, variant_table
from edge_seg_train.comparison.words import sentences
from edge_seg_train.paper import DARK, LIGHT

_TILE_WIDTH = 320
_SHEET_TILE_WIDTH = 200
_NOT_SETTINGS = ("data",)


def write_report(out: Path, comparison: Comparison, pictures: Sequence[ComparedPicture], manifest: Manifest) -> None:
    """Write report.html, which needs no other file, and report.md with curves.png and pictures.png beside it."""
    curves = draw_curves(comparison, LIGHT)
    write_bytes(out / "curves.png", curves)
    write_image(out / "pictures.png", _sheet(comparison, pictures, manifest.classes))
    write_text(out / "report.md", _markdown(comparison, manifest))
    page = render(
        "comparison.html",
        package="edge_seg_train",
        manifest=manifest,
        sentences=sentences(comparison),
        table=variant_table(comparison),
        iou=_iou(comparison),
        best_run=max(comparison.runs, key=lambda run: run.result.best.scores.miou),
        target=comparison.target_miou,
        curves=data_uri(curves, ".png"),
        dark_curves=data_uri(draw_curves(comparison, DARK), ".png"),
        names=[run.variant.name for run in comparison.runs],
        pictures=[_figures(picture, manifest.classes) for picture in pictures],
        settings=_shared_settings(comparison),
    )
    write_text(out / "report.html", page)


def _iou(comparison: Comparison) -> list[tuple[SegmentationClass, tuple[str, ...]]]:
    table = iou_table([run.result for run in comparison.runs]).transposed("class")
    return [(item, row[1:]) for item, row in zip(comparison.classes, table.rows, strict=True)]


def _shared_settings(comparison: Comparison) -> list[tuple[str, str]]:
    configs = [run.result.config for run in comparison.runs]
    differing = {*differing_fields(configs), *_NOT_SETTINGS}
    return [(name, setting(value)) for name, value in comparison.config if name not in differing]


def _figures(picture: ComparedPicture, classes: Sequence[SegmentationClass]) -> list[tuple[str, str, str]]:
    """Return (data URI, name of the column, remark) for a row of pictures."""
    photograph = picture.photograph
    drawn = {name: draw_overlay(photograph, prediction, classes) for name, prediction in picture.predictions.items()}
    return [
        (embedded(photograph, widest=_TILE_WIDTH), "photograph", picture.name),
        (embedded(draw_overlay(photograph, picture.truth, classes), widest=_TILE_WIDTH), "truth", ""),
        *(
            (embedded(each, widest=_TILE_WIDTH), name, f"mIoU {score(picture.mious[name])}")
            for name, each in drawn.items()
        ),
    ]


def _sheet(
    comparison: Comparison, pictures: Sequence[ComparedPicture], classes: Sequence[SegmentationClass]
) -> RgbImage:
    names = [run.variant.name for run in comparison.runs]
    tiles: list[RgbImage] = []
    for picture in pictures:
        maps = [picture.truth, *(picture.predictions[name] for name in names)]
        tiles += [picture.photograph, *(draw_overlay(picture.photograph, each, classes) for each in maps)]
    captions = ["photograph", "truth", *names] * len(pictures)
    return contact_sheet(tiles, 2 + len(names), _SHEET_TILE_WIDTH, captions=captions, legend=classes)


def _markdown(comparison: Comparison, manifest: Manifest) -> str:
    results = [run.result for run in comparison.runs]
    settings = ", ".join(f"{name} {value}" for name, value in _shared_settings(comparison))
    parts = [
        f"# Training compared on {manifest.name}",
        *sentences(comparison),
        markdown(variant_table(comparison)),
        "## IoU per class",
        markdown(iou_table(results).transposed("class")),
        "## Curves",
        "![Validation mIoU over epochs and over time, training loss and validation loss](curves.png)",
        "## The same validation pictures",
        "![Photograph, truth and the prediction of every variant](pictures.png)",
        "## Settings that all share",
        settings,
    ]
    return "\n\n".join(parts) + "\n"
