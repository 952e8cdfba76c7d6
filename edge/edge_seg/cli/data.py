"""`edge-seg data`: make data sets, check them and look at them."""

import json
import random
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from edge_seg.cli.reporting import EXIT_FAILED
from edge_seg.errors import DatasetError

if TYPE_CHECKING:
    from edge_seg.dataset import SplitPolicy
    from edge_seg.dataset.checks import CheckReport
    from edge_seg.importers import Description, ImportReport

T = TypeVar("T")

data = typer.Typer(no_args_is_help=True)
importing = typer.Typer(no_args_is_help=True)
data.add_typer(importing, name="import", help="Make a data set folder from annotated pictures.")

OutFolder: TypeAlias = Annotated[
    Path,
    typer.Option("--out", help="The data set folder to make; it must not exist yet.", resolve_path=True),
]
Name: TypeAlias = Annotated[str, typer.Option(help="Name of the data set.", show_default="the folder's name")]
SourceText: TypeAlias = Annotated[
    str, typer.Option("--source", help="Where the pictures come from.", show_default="empty")
]
Licence: TypeAlias = Annotated[
    str, typer.Option(help="Licence of the pictures, for example CC-BY-4.0.", show_default="empty")
]
ValShare: TypeAlias = Annotated[float, typer.Option(min=0, max=0.9, help="Share of pictures for validation.")]
TestShare: TypeAlias = Annotated[float, typer.Option(min=0, max=0.9, help="Share of pictures for the test.")]
Seed: TypeAlias = Annotated[int, typer.Option(min=0, help="Seed of every random choice.")]
DataFolder: TypeAlias = Annotated[Path, typer.Argument(help="A data set folder.")]


@importing.command(epilog="Example:  edge-seg data import masks photos/ masks/ --map 0=background,1=fire --out fire")
def masks(
    images: Annotated[Path, typer.Argument(help="Folder of pictures.")],
    masks: Annotated[Path, typer.Argument(help="Folder of masks with the stems of the pictures.")],
    *,
    out: OutFolder,
    value_map: Annotated[
        str,
        typer.Option(
            "--map",
            metavar="VALUE=NAME,…",
            help="What each mask value means; ids follow this order, 'ignore' neither trains nor scores.",
        ),
    ],
    name: Name = "",
    source: SourceText = "",
    licence: Licence = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave bad pairs out and list them.")] = False,
) -> None:
    """Import pictures with masks from a second folder, paired by file stem."""
    from edge_seg.importers import import_masks, parse_value_map

    try:
        values = parse_value_map(value_map)
    except DatasetError as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None
    about = _description(out, name, source, licence, _policy(val, test, seed))
    _tell(import_masks(images, masks, out, values, about, skip_bad=skip_bad, track=_tracked), out)


@importing.command(epilog="Example:  edge-seg data import via bottles/via_region_data.json --out bottles-data")
def via(
    annotations: Annotated[Path, typer.Argument(help="VIA 1 or 2 JSON: an export or a whole project.")],
    *,
    out: OutFolder,
    images: Annotated[
        Path | None, typer.Option(help="Folder of pictures.", show_default="the folder of the JSON file")
    ] = None,
    label_attribute: Annotated[
        str | None,
        typer.Option(help="Region attribute that names the class.", show_default="the only one there is"),
    ] = None,
    default_class: Annotated[
        str | None,
        typer.Option(help="Class of regions without that attribute.", show_default="they are an error"),
    ] = None,
    classes: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="Class names in the order of their ids, after the background.",
            show_default="all in the file, by name",
        ),
    ] = "",
    background: Annotated[str, typer.Option(help="Name of class 0: what no region covers.")] = "background",
    line_width: Annotated[int, typer.Option(min=1, max=200, help="Width of polylines in pixels.")] = 5,
    fill_polylines: Annotated[
        bool, typer.Option("--fill-polylines", help="Take polylines as the polygons they outline.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out pictures whose file is absent, and list them.")
    ] = False,
    skip_empty: Annotated[
        bool,
        typer.Option("--skip-empty", help="Leave out pictures without regions; by default all background."),
    ] = False,
    name: Name = "",
    source: SourceText = "",
    licence: Licence = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
) -> None:
    """Import VGG Image Annotator JSON; later regions are drawn over earlier ones."""
    from edge_seg.importers import ViaOptions, import_via

    options = ViaOptions(
        label_attribute=label_attribute,
        default_class=default_class,
        classes=tuple(part.strip() for part in classes.split(",") if part.strip()),
        background=background,
        line_width=line_width,
        fill_polylines=fill_polylines,
        skip_missing=skip_missing,
        skip_empty=skip_empty,
    )
    about = _description(out, name, source, licence, _policy(val, test, seed))
    _tell(import_via(annotations, images or annotations.parent, out, options, about, track=_tracked), out)


@importing.command(epilog="Example:  edge-seg data import pets --out pets")
def pets(
    *,
    out: OutFolder,
    download_folder: Annotated[
        Path | None,
        typer.Option(help="Where the download is kept.", show_default="~/tensorflow_datasets"),
    ] = None,
    name: Name = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
) -> None:
    """Download Oxford-IIIT Pet (7,349 pictures, 800 MB): pet, background, border."""
    from edge_seg.importers import import_pets
    from edge_seg.importers.pets import HOMEPAGE, LICENCE

    about = _description(out, name, f"Oxford-IIIT Pet, {HOMEPAGE}", LICENCE, _policy(val, test, seed))
    _tell(import_pets(out, about, download_folder=download_folder, track=_tracked), out)


@data.command(epilog="Example:  edge-seg data check my-data")
def check(
    folder: DataFolder,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find everything wrong with a data set; exit 1 if anything keeps it from being used."""
    from edge_seg.dataset import Dataset
    from edge_seg.dataset.checks import check_dataset

    report = check_dataset(Dataset.open(folder), track=_tracked)
    if as_json:
        content = {"ok": not report.errors} | asdict(report)
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _print_report(report, folder)
    if report.errors:
        raise typer.Exit(EXIT_FAILED)


@data.command(epilog="Example:  edge-seg data preview my-data --split val --out sheet.png")
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
    tiles = [draw_overlay(*dataset.read(sample), dataset.classes) for sample in _tracked(chosen)]
    names = [sample.name for sample in chosen]
    write_image(out, contact_sheet(tiles, min(columns, len(tiles)), tile_width, names, dataset.classes))
    _console().print(f"{len(tiles)} of {len(samples)} pictures of the split {split} drawn to {escape(str(out))}")


@data.command(epilog="Example:  edge-seg data generate leaves-and-stones --count 240")
def generate(
    folder: Annotated[Path, typer.Argument(help="The data set folder to make.", resolve_path=True)],
    *,
    count: Annotated[int, typer.Option(min=2, max=100_000, help="How many pictures.")] = 240,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of a picture in pixels.")] = 160,
    seed: Seed = 0,
    val: ValShare = 0.2,
    test: TestShare = 0.0,
) -> None:
    """Generate pictures of leaves and stones with exact masks, for trying things out offline."""
    from edge_seg.synthetic import generate_dataset

    policy = _policy(val, test, seed)
    generate_dataset(folder, count=count, size=size, split=policy, numbers=_tracked(range(count)))
    _tell_written(count, folder)


def _policy(val: float, test: float, seed: int) -> "SplitPolicy":
    from edge_seg.dataset import SplitPolicy

    if val + test >= 1:
        raise typer.BadParameter(f"--val {val} and --test {test} leave nothing to train on; keep their sum below 1")
    return SplitPolicy(seed=seed, val=val, test=test)


def _description(out: Path, name: str, source: str, licence: str, split: "SplitPolicy") -> "Description":
    from edge_seg.importers import Description

    return Description(name or out.name, source, licence, split)


def _console(*, stderr: bool = False) -> Console:
    # Made when used: a test or a shell may have replaced the stream since the import.
    return Console(stderr=stderr, soft_wrap=True, highlight=False)


def _tell(report: "ImportReport", out: Path) -> None:
    for sentence in report.skipped:
        _console(stderr=True).print(f"skipped  {escape(sentence)}", style="yellow")
    notes = [f"{report.empty} of them without regions, all background"] if report.empty else []
    notes += [f"{len(report.skipped)} skipped"] if report.skipped else []
    _tell_written(report.imported, out, f" ({'; '.join(notes)})" if notes else "")


def _tell_written(count: int, out: Path, notes: str = "") -> None:
    place = escape(str(out))
    _console().print(f"{count} pictures written to {place}{notes}")
    _console().print(f"Look at them with  edge-seg data preview {place} --out sheet.png", style="dim")


def _print_report(report: "CheckReport", folder: Path) -> None:
    console = _console()
    console.print(_share_table(report))
    for finding in report.findings:
        colour = "red" if finding.severity == "error" else "yellow"
        console.print(f"[{colour}]{finding.severity:8}[/]{escape(finding.sentence)}")
    verdict = f"{len(report.errors)} errors, {len(report.warnings)} warnings"
    console.print(f"{escape(str(folder))}: {verdict if report.findings else 'no problem found'}")


def _share_table(report: "CheckReport") -> Table:
    """Rows are classes, columns are splits, cells are shares of the labelled pixels."""
    table = Table("class", title="Share of pixels", title_justify="left")
    for split, summary in report.splits.items():
        table.add_column(f"{split} ({summary.pictures})", justify="right")
    summaries = list(report.splits.values())
    for name in summaries[0].pixel_shares if summaries else ():
        table.add_row(escape(name), *(f"{item.pixel_shares[name]:.1%}" for item in summaries))
    table.add_row("ignored", *(f"{item.ignored_share:.1%}" for item in summaries), style="dim")
    return table


def _tracked(items: Iterable[T], /, *, total: int | None = None) -> Iterable[T]:
    """Show a bar on stderr while iterating, when stderr is a terminal."""
    console = _console(stderr=True)
    return track(items, "Pictures", total=total, console=console, transient=True, disable=not sys.stderr.isatty())
