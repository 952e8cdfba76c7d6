"""What the data commands print: on stdout the result, on stderr progress and warnings."""

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import track

T = TypeVar("T")


def console(*, stderr: bool = False) -> Console:
    """Return a console; made when used, as a test or a shell may have replaced the stream since the import."""
    return Console(stderr=stderr, soft_wrap=True, highlight=False)


def tell_written(count: int, out: Path, notes: str = "") -> None:
    """Say how many pictures a new data set holds, and how to look at them."""
    place = escape(shlex.quote(str(out)))
    console().print(f"{count} pictures written to {escape(str(out))}{notes}")
    console().print(f"Look at them with  edge-seg data preview {place} --out sheet.png", style="dim")
    console().print(f"Keep near-duplicates out of validation with  edge-seg data split {place}", style="dim")


def tracked(items: Iterable[T], /, *, total: int | None = None) -> Iterable[T]:
    """Show a bar on stderr while iterating, when stderr is a terminal."""
    bar = console(stderr=True)
    return track(items, "Pictures", total=total, console=bar, transient=True, disable=not sys.stderr.isatty())
