"""Spans of time as options take them."""

import typer

from edge_seg.durations import parse_duration
from edge_seg.errors import EdgeSegError


def seconds_of(text: str | float) -> float:
    """Return the seconds of `90s`, `10m` or `1.5h`; a default is given as a number."""
    if not isinstance(text, str):
        return text
    try:
        return parse_duration(text)
    except EdgeSegError as error:
        raise typer.BadParameter(str(error)) from None
