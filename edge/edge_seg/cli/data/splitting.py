"""`edge-seg data split`."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from edge_seg.cli.data.options import DataFolder, Seed, TestShare, ValShare, split_policy
from edge_seg.cli.data.terminal import console, tracked

if TYPE_CHECKING:
    from edge_seg.dataset.division import Division, Part

_SPLITS = ("train", "val", "test")
_NOT_WITH_LISTS = {
    "val": "--val",
    "test": "--test",
    "seed": "--seed",
    "similar": "--no-similar",
    "group_pattern": "--group-pattern",
}


def split(
    context: typer.Context,
    folder: DataFolder,
    *,
    val: ValShare = 0.2,
    test: TestShare = 0.0,
    seed: Seed = 0,
    similar: Annotated[
        bool,
        typer.Option(
            "--similar/--no-similar",
            help="Keep together what shows the same scene: copies, video frames, augmented copies.",
        ),
    ] = True,
    group_pattern: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Also keep file names together that share what this matches, or its first group.",
            show_default="none",
        ),
    ] = None,
    lists: Annotated[
        list[str] | None,
        typer.Option(
            "--list",
            metavar="SPLIT=FILE",
            help="Take a given list of names for train, val or test, as often as needed; "
            "without one for train all other pictures train.",
            show_default="none",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the result and write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Divide a data set anew into train, val and test, every class in equal shares.

    Pictures of one scene stay together: a score on near-copies of training pictures means nothing. The
    lists in splits/ and the policy in dataset.toml are replaced.
    """
    from edge_seg.dataset import Dataset
    from edge_seg.dataset.division import divide_by_groups, divide_by_lists
    from edge_seg.dataset.split_lists import replace_splits

    policy, pattern, given = split_policy(val, test, seed), _pattern(group_pattern), _given_lists(context, lists)
    dataset = Dataset.open(folder)
    if given:
        division = divide_by_lists(dataset, given, track=tracked)
    else:
        division = divide_by_groups(dataset, policy, similar=similar, pattern=pattern, track=tracked)
    if not dry_run:
        replace_splits(dataset, division.splits, division.policy)
    if as_json:
        typer.echo(json.dumps(_as_json(division, written=not dry_run), indent=2, ensure_ascii=False))
    else:
        _print(division, folder, written=not dry_run)


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise typer.BadParameter(f"'{text}' is no regular expression ({error})", param_hint="--group-pattern") from None


def _given_lists(context: typer.Context, texts: list[str] | None) -> dict[str, Path]:
    given: dict[str, Path] = {}
    for text in texts or ():
        name, separator, path = text.partition("=")
        if name not in _SPLITS or not separator or not path or name in given:
            raise typer.BadParameter(
                f"'{text}' is not written SPLIT=FILE with train, val or test, once each", param_hint="--list"
            )
        given[name] = Path(path)
    for parameter, option in _NOT_WITH_LISTS.items():
        if given and _was_typed(context, parameter):
            raise typer.BadParameter(f"{option} has no effect on given lists; leave it out", param_hint="--list")
    return given


def _was_typed(context: typer.Context, parameter: str) -> bool:
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def _as_json(division: "Division", *, written: bool) -> dict[str, object]:
    return {
        "written": written,
        "policy": division.policy.model_dump(mode="json"),
        "splits": {split: asdict(part) for split, part in division.parts.items()},
        "groups": division.groups,
        "remarks": division.remarks,
    }


def _print(division: "Division", folder: Path, *, written: bool) -> None:
    terminal = console()
    terminal.print(_table(division.parts))
    for remark in division.remarks:
        terminal.print(escape(remark))
    place = escape(str(folder))
    terminal.print(f"lists and policy written to {place}" if written else f"nothing was written to {place}")


def _table(parts: "Mapping[str, Part]") -> Table:
    """Columns are splits; a row is a class, a cell how many of the pictures hold it."""
    table = Table("")
    for split in parts:
        table.add_column(split, justify="right")
    everything = sum(part.pictures for part in parts.values())
    table.add_row("pictures", *(_counted(part.pictures, everything) for part in parts.values()))
    if any(part.groups < part.pictures for part in parts.values()):
        table.add_row("groups", *(str(part.groups) for part in parts.values()))
    table.add_section()
    for name in next(iter(parts.values())).pictures_per_class:
        cells = (_counted(part.pictures_per_class[name], part.pictures) for part in parts.values())
        table.add_row(f"with {escape(name)}", *cells)
    return table


def _counted(count: int, whole: int) -> str:
    return f"{count} ({count / max(1, whole):.1%})"
