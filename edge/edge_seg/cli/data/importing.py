"""`edge-seg data import`: one command for every format, and `auto`, which tells them by content."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.markup import escape

from edge_seg.cli.data.options import OutFolder, Seed, TestShare, ValShare, split_policy
from edge_seg.cli.data.terminal import console, tell_written, tracked
from edge_seg.errors import DatasetError

if TYPE_CHECKING:
    from edge_seg.dataset import SplitPolicy
    from edge_seg.importers import Description, ImportOptions, ImportReport
    from edge_seg.importers.annotations import AnnotationFormat
    from edge_seg.importers.mask_maps import MaskMap

importing = typer.Typer(no_args_is_help=True)

Name: TypeAlias = Annotated[str, typer.Option(help="Name of the data set.", show_default="the folder's name")]
SourceText: TypeAlias = Annotated[
    str, typer.Option("--source", help="Where the pictures come from.", show_default="empty")
]
Licence: TypeAlias = Annotated[
    str, typer.Option(help="Licence of the pictures, for example CC-BY-4.0.", show_default="empty")
]
ImageFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--images", help="Folder of pictures.", show_default="that of the annotations, or the one above"),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]
SkipBad: TypeAlias = Annotated[bool, typer.Option("--skip-bad", help="Leave bad pictures out and list them.")]
MaskFolder: TypeAlias = Annotated[Path, typer.Argument(help="Folder of masks with the stems of the pictures.")]
MAP_HELP = (
    "Rename, merge or drop labels: dog=pet,cat=pet,person= drops people, x=ignore neither trains nor scores, "
    "*=other is all the rest."
)

_FORMATS = {
    "auto": (
        "Import annotations of any of these formats, told by their content.",
        "edge-seg data import auto my-export/ --out data/ponds",
    ),
    "via": (
        "Import VGG Image Annotator 1, 2 or 3: exports and projects, JSON and CSV.",
        "edge-seg data import via photos/via_region_data.json --out data/bottles",
    ),
    "coco": (
        "Import COCO instances: polygons, run lengths and crowds.",
        "edge-seg data import coco instances_train.json --images train2017 --out data/dogs --map '*=,dog=dog'",
    ),
    "labelme": (
        "Import LabelMe JSON, one file per picture.",
        "edge-seg data import labelme photos/ --out data/buses",
    ),
    "cvat": (
        "Import CVAT XML, exported as 'CVAT for images 1.1'.",
        "edge-seg data import cvat annotations.xml --images images/ --out data/ponds",
    ),
    "yolo": (
        "Import YOLO segmentation text, one file per picture.",
        "edge-seg data import yolo labels/ --images images/ --out data/bags --map class_0=bag",
    ),
}


def _annotations(
    context: typer.Context,
    paths: Annotated[
        list[Path], typer.Argument(help="Annotation files, or folders of them; several make one data set.")
    ],
    *,
    out: OutFolder,
    images: ImageFolder = None,
    label_attribute: Annotated[
        str | None,
        typer.Option(
            help="Attribute that names the class.", show_default="the format's label; for VIA the only one there is"
        ),
    ] = None,
    label_map: Annotated[str, typer.Option("--map", metavar="LABEL=NAME,…", help=MAP_HELP, show_default="empty")] = "",
    default_class: Annotated[
        str | None,
        typer.Option(help="Class of regions without a label.", show_default="they are an error"),
    ] = None,
    classes: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="Class names in the order of their ids, after the background.",
            show_default="all that are used, in the file's order or by name",
        ),
    ] = "",
    background: Annotated[str, typer.Option(help="Name of class 0: what no region covers.")] = "background",
    line_width: Annotated[int, typer.Option(min=1, max=200, help="Width of polylines in pixels.")] = 5,
    fill_polylines: Annotated[
        bool, typer.Option("--fill-polylines", help="Take polylines as the polygons they outline.")
    ] = False,
    point_radius: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=200,
            help="Draw points as discs of that radius; 0 leaves them out.",
            show_default="points are an error",
        ),
    ] = None,
    fill_boxes: Annotated[
        bool, typer.Option("--fill-boxes", help="Fill the boxes of regions without an outline.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out pictures whose file is absent, and list them.")
    ] = False,
    skip_empty: Annotated[
        bool,
        typer.Option("--skip-empty", help="Leave out pictures without regions; by default all background."),
    ] = False,
    skip_bad: SkipBad = False,
    name: Name = "",
    source: SourceText = "",
    licence: Licence = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    from edge_seg.importers import FORMATS, DrawingStyle, ImportOptions, LabelRules, parse_label_map

    about = _description(out, name, source, licence, split_policy(val, test, seed))
    chosen = FORMATS.get(str(context.info_name))
    if chosen is None and (report := _import_layout(paths, label_map, out, about, skip_bad=skip_bad)) is not None:
        _tell(report, out, as_json=as_json)
        return
    try:
        labels = parse_label_map(label_map)
    except DatasetError as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None
    options = ImportOptions(
        LabelRules(label_attribute, default_class, labels, _listed(classes), background),
        DrawingStyle(line_width, fill_polylines, point_radius, fill_boxes),
        skip_missing=skip_missing,
        skip_empty=skip_empty,
        skip_bad=skip_bad,
    )
    _tell(_import(chosen, paths, images, out, options, about), out, as_json=as_json)


for _name, (_help, _example) in _FORMATS.items():
    importing.command(_name, help=_help, epilog=f"Example:  {_example}")(_annotations)


@importing.command(epilog="Example:  edge-seg data import masks photos/ masks/ --map 0=background,1=fire --out fire")
def masks(
    images: Annotated[Path, typer.Argument(help="Folder of pictures.")],
    masks: MaskFolder,
    *,
    out: OutFolder,
    value_map: Annotated[
        str,
        typer.Option(
            "--map",
            metavar="VALUE=NAME,…",
            help="What each value or colour #RRGGBB means; ids follow this order, 'ignore' neither trains nor scores.",
        ),
    ] = "",
    colours: Annotated[
        Path | None,
        typer.Option(help="File with a name and three numbers a line, as CVAT's labelmap.txt, in place of --map."),
    ] = None,
    name: Name = "",
    source: SourceText = "",
    licence: Licence = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Import pictures with grey, indexed or coloured masks from a second folder, paired by file stem."""
    from edge_seg.importers import import_masks, paired, parse_mask_map, read_colour_file

    if bool(value_map) == bool(colours):
        raise typer.BadParameter("say what the masks mean, with either --map or --colours", param_hint="--map")
    mask_map = _parsed(parse_mask_map, value_map) if colours is None else read_colour_file(colours)
    about = _description(out, name, source, licence, split_policy(val, test, seed))
    _tell(
        import_masks(paired(images, masks), out, mask_map, about, skip_bad=skip_bad, track=tracked),
        out,
        as_json=as_json,
    )


@importing.command(epilog="Example:  edge-seg data import trimaps pets/images pets/annotations/trimaps --out data/pets")
def trimaps(
    images: Annotated[Path, typer.Argument(help="Folder of pictures.")],
    masks: MaskFolder,
    *,
    out: OutFolder,
    name: Name = "",
    source: SourceText = "",
    licence: Licence = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Import Oxford-IIIT Pet's trimaps: 1 pet, 2 background, 3 border."""
    from edge_seg.importers import TRIMAP, import_masks, pictures_of_masks

    about = _description(out, name, source, licence, split_policy(val, test, seed))
    pairs = pictures_of_masks(images, masks)
    _tell(import_masks(pairs, out, TRIMAP, about, skip_bad=skip_bad, track=tracked), out, as_json=as_json)


@importing.command(epilog="Example:  edge-seg data import voc VOCdevkit/VOC2012 --out data/voc")
def voc(
    folder: Annotated[Path, typer.Argument(help="A folder with JPEGImages and SegmentationClass.")],
    *,
    out: OutFolder,
    name: Name = "",
    source: SourceText = "",
    licence: Licence = "",
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """Import Pascal VOC's coloured masks, with VOC's 21 classes or those of a labelmap.txt in the folder."""
    from edge_seg.importers import VOC, import_masks, voc_layout

    about = _description(out, name, source, licence, split_policy(val, test, seed))
    layout = voc_layout(folder)
    report = import_masks(layout.pairs, out, layout.mask_map or VOC, about, skip_bad=skip_bad, track=tracked)
    _tell(report, out, as_json=as_json)


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
    as_json: AsJson = False,
) -> None:
    """Download Oxford-IIIT Pet (7,349 pictures, 800 MB): pet, background, border."""
    from edge_seg.importers import import_pets
    from edge_seg.importers.pets import HOMEPAGE, LICENCE

    about = _description(out, name, f"Oxford-IIIT Pet, {HOMEPAGE}", LICENCE, split_policy(val, test, seed))
    _tell(import_pets(out, about, download_folder=download_folder, track=tracked), out, as_json=as_json)


def _import(
    chosen: "AnnotationFormat | None",
    paths: Sequence[Path],
    images: Path | None,
    out: Path,
    options: "ImportOptions",
    about: "Description",
) -> "ImportReport":
    """Import annotation files of the chosen format, or of the one that all of them are recognised as."""
    from edge_seg.importers import annotation_files, import_annotations, picture_folder, recognise_all

    if chosen is None:
        chosen = recognise_all(paths)
        console(stderr=True).print(f"recognised {chosen.title}", style="dim")
    files = annotation_files(chosen, paths)
    return import_annotations(chosen, files, picture_folder(images, paths[0]), out, options, about, track=tracked)


def _import_layout(
    paths: Sequence[Path], value_map: str, out: Path, about: "Description", *, skip_bad: bool
) -> "ImportReport | None":
    """Import a folder of pictures and masks that is told by its parts; None when the paths are not one."""
    from edge_seg.importers import import_masks, mask_layout, parse_mask_map, recognise, values_of

    layout = mask_layout(paths[0]) if len(paths) == 1 and paths[0].is_dir() else None
    if layout is None:
        return None
    if (others := recognise(paths[0])) is not None:
        raise DatasetError(
            f"{paths[0]}: holds both masks ({layout.masks.name}) and {others.annotation_format.title} "
            f"({others.files[0].name}); say which with  edge-seg data import masks  or "
            f" edge-seg data import {others.annotation_format.name}"
        )
    mask_map = _parsed(parse_mask_map, value_map) if value_map else layout.mask_map
    if mask_map is None:
        values = values_of(layout.pairs)
        example = ",".join(f"{value}=NAME" for value in values[:8]) or "#000000=background,#ff0000=NAME"
        held = f"the values {', '.join(map(str, values[:8]))}" if values else "colours"
        raise DatasetError(f"{layout.masks}: holds masks with {held}; say what they mean with  --map '{example}'")
    return import_masks(layout.pairs, out, mask_map, about, skip_bad=skip_bad, track=tracked)


def _parsed(parse: "Callable[[str], MaskMap]", text: str) -> "MaskMap":
    try:
        return parse(text)
    except DatasetError as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _description(out: Path, name: str, source: str, licence: str, split: "SplitPolicy") -> "Description":
    from edge_seg.importers import Description

    return Description(name or out.name, source, licence, split)


def _tell(report: "ImportReport", out: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"folder": str(out)} | asdict(report), indent=2, ensure_ascii=False))
        return
    for sentence in report.skipped:
        console(stderr=True).print(f"skipped  {escape(sentence)}", style="yellow")
    for sentence in report.notes:
        console(stderr=True).print(f"note     {escape(sentence)}", style="dim")
    notes = [f"{report.empty} of them without regions, all background"] if report.empty else []
    notes += [f"{len(report.skipped)} skipped"] if report.skipped else []
    tell_written(report.imported, out, f" ({'; '.join(notes)})" if notes else "")
