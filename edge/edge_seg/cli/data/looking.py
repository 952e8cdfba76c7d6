"""`edge-seg data preview`: a data set as pictures."""

import random
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from edge_seg.cli.data.options import DataFolder, Seed
from edge_seg.cli.data.terminal import console, tracked


def preview(
    folder: DataFolder,
    *,
    out: Annotated[Path, typer.Option("--out", help="The picture to write; the suffix names the format.")],
    split: Annotated[str, typer.Option(help="Which split to show.")] = "train",
    count: Annotated[int, typer.Option(min=1, max=400, help="How many pictures, drawn at random.")] = 16,
    columns: Annotated[int, typer.Option(min=1, max=20, help="Pictures per row.")] = 4,
    tile_width: Annotated[int, typer.Option(min=40, max=1000, help="Mean width of a picture.")] = 320,
    seed: Seed = 0,
) -> None:
    """Draw a contact sheet: pictures with their masks blended over, and the legend."""
    from edge_seg.contact_sheet import contact_sheet
    from edge_seg.dataset import Dataset
    from edge_seg.drawing import draw_overlay
    from edge_seg.images import write_image

    dataset = Dataset.open(folder)
    samples = dataset.samples(split)
    chosen = sorted(random.Random(seed).sample(samples, min(count, len(samples))), key=lambda item: item.name)
    tiles = [draw_overlay(*dataset.read(sample), dataset.classes) for sample in tracked(chosen)]
    names = [sample.name for sample in chosen]
    write_image(out, contact_sheet(tiles, min(columns, len(tiles)), tile_width, names, dataset.classes))
    console().print(f"{len(tiles)} of {len(samples)} pictures of the split {split} drawn to {escape(str(out))}")
