"""`edge-seg models`: what ships with the package, and signing models for cameras."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_seg.cli.model_signing import keys, sign, verify
from edge_seg.cli.options import JsonOption

if TYPE_CHECKING:
    from rich.console import Console

    from edge_seg.shipped import ShippedModel

NameArgument = Annotated[str, typer.Argument(help="As `edge-seg models` lists it.", show_default=False)]

_NOT_FOR_A_TERMINAL = re.compile(r"^<!--.*?-->\n|^!\[.*\n\n", re.MULTILINE)

_WRAPPED = {"classes": len("background,"), "licence": len("CC BY-SA")}
"""Columns whose words may stand on several lines, and the widths below which a terminal would break words."""

models = typer.Typer(invoke_without_command=True)
for _command in (keys, sign, verify):
    models.command()(_command)


@models.callback()
def list_when_bare(context: typer.Context, as_json: JsonOption = False) -> None:
    """List, show and export the models that ship with the package, and sign models; without a command, list them.

    Wherever a command takes a model file, the name of one of these does, too.

    Example:  edge-seg models show pets

    Example:  edge-seg run photos --model trash --out overlays
    """
    if context.invoked_subcommand is None:
        list_models(as_json)


@models.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the models: size, input, classes, accuracy, data and its licence.

    Example:  edge-seg models list --json
    """
    from edge_seg.shipped import describe, shipped_models

    rows = [describe(path) for path in shipped_models()]
    if as_json:
        typer.echo(json.dumps([_as_dict(row) for row in rows], indent=2))
    elif rows:
        _show_list(rows)
    else:
        typer.echo("this installation ships no model; make one with  edge-seg train  and  edge-seg convert")


@models.command("show")
def show_model(name: NameArgument, as_json: JsonOption = False) -> None:
    """Show what a model is for, how good it is, where it fails, and how it was made: its model card.

    Example:  edge-seg models show trash
    """
    from edge_seg.shipped import describe, read_card, shipped_model

    path = shipped_model(name)
    card = read_card(path)
    if as_json:
        typer.echo(json.dumps({**_as_dict(describe(path)), "card": card}, indent=2, ensure_ascii=False))
    else:
        _show_card(path, card)


@models.command("path")
def print_path(name: NameArgument) -> None:
    """Print where a model's file lies, and nothing else.

    Example:  cp "$(edge-seg models path trash)" .
    """
    from edge_seg.shipped import shipped_model

    typer.echo(shipped_model(name))


@models.command("export")
def export_models(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="As `edge-seg models` lists them.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the models and their cards.", show_default=False)],
) -> None:
    """Copy models and their cards into a folder; a different file of the same name there is left alone.

    Example:  edge-seg models export pets trash --out models
    """
    from edge_seg.shipped import export, shipped_model

    for written in export([shipped_model(name) for name in dict.fromkeys(names)], out):
        typer.echo(written)


def _as_dict(row: "ShippedModel") -> dict[str, Any]:
    info = row.info
    return {
        "name": row.name,
        "default": row.is_default,
        "path": str(row.path),
        "size_bytes": row.size_bytes,
        "input_size": [info.input_height, info.input_width],
        "precision": info.precision,
        "classes": [item.name for item in info.classes],
        "metrics": info.metrics,
        "data": info.data.name,
        "source": info.data.source,
        "licence": info.data.licence,
    }


def _show_list(rows: "list[ShippedModel]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("model", "size", "input", "precision", "classes", "mIoU", "data", "licence"):
        justify = "right" if title in ("size", "input", "mIoU") else "left"
        table.add_column(
            title, justify=justify, overflow="fold", no_wrap=title not in _WRAPPED, min_width=_WRAPPED.get(title)
        )
    for row in rows:
        table.add_row(*(Text(text) for text in _cells(row)))
    console = _console()
    console.print(table)
    console.print()
    console.print(Text("* taken when no model is named; cards: edge-seg models show NAME", style="dim"))


def _cells(row: "ShippedModel") -> list[str]:
    info = row.info
    return [
        f"{row.name} *" if row.is_default else row.name,
        f"{row.size_bytes / 1e6:.2f} MB",
        f"{info.input_width}×{info.input_height}",
        info.precision,
        ", ".join(item.name for item in info.classes),
        f"{info.metrics['miou']:.3f}" if "miou" in info.metrics else "?",
        info.data.name,
        info.data.licence or "not stated",
    ]


def _show_card(path: Path, card: str) -> None:
    from rich.markdown import Markdown
    from rich.text import Text

    console = _console()
    console.print(Markdown(_NOT_FOR_A_TERMINAL.sub("", card)))
    console.print()
    console.print(Text(f"file  {path}", style="dim"), soft_wrap=True)


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)
