"""Percentages on a command line."""

import re

import typer

_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?) ?%", re.ASCII)


def parse_percentage(text: str, option: str) -> float:
    """Return e.g. 0.03 for the "3%" of an option.

    Raises:
        typer.BadParameter: not a percentage. It ends with exit code 2, as code 1 says that something got worse.
    """
    found = _PERCENTAGE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{option} takes a percentage such as 5%, not '{text}'")
    return float(found[1]) / 100
