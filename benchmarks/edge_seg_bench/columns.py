"""Columns of the tables that results are shown in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column of a table: its title and one text per row."""

    title: str
    texts: tuple[str, ...]
