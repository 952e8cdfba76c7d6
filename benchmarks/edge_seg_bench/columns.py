"""Columns of the tables that results are shown in."""

from dataclasses import dataclass

NONE = "–"
"""What stands where there is nothing to say."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its title and one text per row."""

    title: str
    texts: tuple[str, ...]


def ms(value: float) -> str:
    """Format milliseconds with three significant digits and no exponent."""
    decimals = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    return f"{value:,.{decimals}f}"
