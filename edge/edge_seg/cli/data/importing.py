"""`edge-seg data import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.markup import escape

from edge_seg.cli.data.options import OutFolder, Seed, TestShare, ValShare, split_policy
from edge_seg.cli.data.terminal import console, tell_written, tracked
from edge_seg.errors import DatasetError

if TYPE_CHECKING:
    from edge_seg.dataset import SplitPolicy
    from edge_seg.importers import Description, ImportReport

importing = typer.Typer(no_args_is_help=True)

Name: TypeAlias = Annotated[str, typer.Option(help="Name of the data set.", show_default="the folder's name")]
SourceText: TypeAlias = Annotated[
    str, typer.Option("--source", help="Where the pictures come from.", show_default="empty")
]
Licence: TypeAlias = Annotated[
    str, typer.Option(help="Licence of the pictures, for example CC-BY-4.0.", show_default="empty")
]


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
    about = _description(out, name, source, licence, split_policy(val, test, seed))
    _tell(import_masks(images, masks, out, values, about, skip_bad=skip_bad, track=tracked), out)


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
    about = _description(out, name, source, licence, split_policy(val, test, seed))
    _tell(import_via(annotations, images or annotations.parent, out, options, about, track=tracked), out)


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

    about = _description(out, name, f"Oxford-IIIT Pet, {HOMEPAGE}", LICENCE, split_policy(val, test, seed))
    _tell(import_pets(out, about, download_folder=download_folder, track=tracked), out)


def _description(out: Path, name: str, source: str, licence: str, split: "SplitPolicy") -> "Description":
    from edge_seg.importers import Description

    return Description(name or out.name, source, licence, split)


def _tell(report: "ImportReport", out: Path) -> None:
    for sentence in report.skipped:
        console(stderr=True).print(f"skipped  {escape(sentence)}", style="yellow")
    notes = [f"{report.empty} of them without regions, all background"] if report.empty else []
    notes += [f"{len(report.skipped)} skipped"] if report.skipped else []
    tell_written(report.imported, out, f" ({'; '.join(notes)})" if notes else "")
