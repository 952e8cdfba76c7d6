"""`edge-seg data preview` and `edge-seg data stats`: a data set as pictures and as figures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from edge_seg.cli.data.options import DataFolder, Seed
from edge_seg.cli.data.terminal import console, tracked
from edge_seg.errors import SinkError

if TYPE_CHECKING:
    from edge_seg.dataset import Dataset, Sample
    from edge_seg.dataset.statistics import DatasetStatistics

_PAGE_SUFFIX = ".html"
_SHEET_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
_CHART_SUFFIXES = (".png",)


def preview(
    folder: DataFolder,
    *,
    out: Annotated[
        Path, typer.Option("--out", help="What to write: a picture (.png, .jpg) or a page with switches (.html).")
    ],
    split: Annotated[str, typer.Option(help="Which split to show.")] = "train",
    count: Annotated[int, typer.Option(min=1, max=400, help="How many pictures, drawn at random.")] = 16,
    class_name: Annotated[
        str, typer.Option("--class", metavar="NAME", help="Only pictures that hold this class.", show_default="any")
    ] = "",
    names: Annotated[
        str,
        typer.Option(
            metavar="A.JPG,B.JPG",
            help="These pictures, of whatever split, in place of random ones.",
            show_default="drawn at random",
        ),
    ] = "",
    columns: Annotated[int, typer.Option(min=1, max=20, help="Pictures per row.")] = 4,
    tile_width: Annotated[int, typer.Option(min=40, max=1000, help="Mean width of a picture.")] = 320,
    seed: Seed = 0,
) -> None:
    """Show pictures with their masks blended over, and the legend, on a contact sheet or a page."""
    if names and class_name:
        raise typer.BadParameter("--names and --class exclude each other; give one of them")
    _check_suffix(out, (*_SHEET_SUFFIXES, _PAGE_SUFFIX))
    if _is_page(out):
        _require_matplotlib(out)
    from edge_seg.dataset import Dataset
    from edge_seg.preview import write_page, write_sheet

    dataset = Dataset.open(folder)
    chosen = _named(dataset, names) if names else _drawn(dataset, split, class_name, count, seed)
    write = write_page if _is_page(out) else write_sheet
    write(out, dataset, tracked(chosen), columns, tile_width)
    console().print(f"{_what(dataset, chosen, split, class_name, names)} drawn to {escape(str(out))}")


def stats(
    folder: DataFolder,
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Also write charts: a picture (.png) or a page (.html).", show_default="none"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Count classes, areas, objects and picture sizes."""
    if out is not None:
        _check_suffix(out, (*_CHART_SUFFIXES, _PAGE_SUFFIX))
        _require_matplotlib(out)
    from edge_seg.dataset import Dataset
    from edge_seg.dataset.statistics import measure_dataset

    dataset = Dataset.open(folder)
    statistics = measure_dataset(dataset, track=tracked)
    if out is not None:
        _write_charts(out, dataset, statistics)
    if as_json:
        typer.echo(json.dumps(_content(dataset, statistics), indent=2, ensure_ascii=False))
    else:
        _print_statistics(dataset, statistics)
        if out is not None:
            console().print(f"charts drawn to {escape(str(out))}")


def _check_suffix(out: Path, known: Sequence[str]) -> None:
    if out.suffix.lower() not in known:
        raise SinkError(f"{out}: its suffix '{out.suffix}' is none that can be written; give {' or '.join(known)}")


def _is_page(out: Path) -> bool:
    return out.suffix.lower() == _PAGE_SUFFIX


def _require_matplotlib(out: Path) -> None:
    from edge_seg.extras import require_module

    require_module("matplotlib", extra="data", purpose=f"writing {out.name}")


def _named(dataset: "Dataset", names: str) -> "list[Sample]":
    from edge_seg.dataset.folder import SPLITS
    from edge_seg.preview import find_samples

    samples = [sample for split in SPLITS if dataset.has_split(split) for sample in dataset.samples(split)]
    return find_samples(samples, [part.strip() for part in names.split(",") if part.strip()])


def _drawn(dataset: "Dataset", split: str, class_name: str, count: int, seed: int) -> "list[Sample]":
    from edge_seg.preview import draw_samples, draw_samples_of_class, find_class

    samples = dataset.samples(split)
    if not class_name:
        return draw_samples(samples, count, seed)
    return draw_samples_of_class(dataset, samples, find_class(dataset, class_name), count, seed)


def _what(dataset: "Dataset", chosen: "Sequence[Sample]", split: str, class_name: str, names: str) -> str:
    if names:
        return f"{len(chosen)} pictures"
    holding = f" that hold '{escape(class_name)}'" if class_name else ""
    return f"{len(chosen)} of {len(dataset.samples(split))} pictures of the split {escape(split)}{holding}"


def _write_charts(out: Path, dataset: "Dataset", statistics: "DatasetStatistics") -> None:
    from edge_seg.statistics_charts import write_sheet
    from edge_seg.statistics_page import write_page

    write = write_page if _is_page(out) else write_sheet
    write(out, statistics, dataset.manifest)


def _content(dataset: "Dataset", statistics: "DatasetStatistics") -> dict[str, object]:
    from edge_seg.dataset.statistics import AREA_EDGES

    figures = asdict(statistics)
    del figures["locations"]
    return {"name": dataset.manifest.name, "area_edges": AREA_EDGES, **figures}


def _print_statistics(dataset: "Dataset", statistics: "DatasetStatistics") -> None:
    from edge_seg.cli.data.statistics_tables import area_table, class_table, ignored_line, picture_lines

    terminal = console()
    splits = ", ".join(f"{name} {group.pictures:,}" for name, group in statistics.splits.items())
    terminal.print(f"[bold]{escape(dataset.manifest.name)}[/]: {statistics.whole.pictures:,} pictures ({splits})")
    for line in (*picture_lines(statistics.pictures), ignored_line(statistics.whole)):
        terminal.print(line)
    terminal.print(class_table(statistics))
    terminal.print("How many pictures hold a class on how much of their area, all splits together:")
    terminal.print(area_table(statistics, dataset.classes))
