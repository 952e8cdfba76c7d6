"""A board's results in the terminal: as few tables as its width allows, then the sentences."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from edge_seg_bench import model_tables, rendering
from edge_seg_bench.columns import Column
from edge_seg_bench.results import Board

if TYPE_CHECKING:
    from rich.console import Console

_GAP = 2
"""Blanks between two columns of a table without lines."""


def print_board(console: "Console", board: Board) -> None:
    """Print one board."""
    names = row_names(board)
    by_row = packed(names, row_groups(board), console.width)
    for columns in (*by_row, model_table(board), *stage_tables(board, console.width)):
        console.print(_table(columns, names))
        console.print()
    opening = (rendering.machine_sentence(board.machine), rendering.settings_sentence(board))
    for sentence in (*opening, *rendering.board_sentences(board)):
        console.print(Text(sentence, style="dim"), soft_wrap=True)


def row_names(board: Board) -> list[Column]:
    """Return the columns that tell the rows apart: the model, and the runtime and the threads where they differ."""
    model, *others = (
        Column("model", tuple(row.model for row in board.rows)),
        Column("runtime", tuple(row.runtime for row in board.rows)),
        Column("threads", tuple(str(row.threads) for row in board.rows)),
    )
    return [model, *(column for column in others if len(set(column.texts)) > 1)]


def row_groups(board: Board) -> list[list[Column]]:
    """Return the columns of the rows in the order of their weight; those of one group should stay in one table."""
    ratios = ([column] for column in rendering.ratio_columns(board))
    return [rendering.latency_columns(board), *ratios, rendering.cost_columns(board)]


def model_table(board: Board) -> list[Column]:
    """Return the columns of what belongs to a model and not to a row."""
    names = Column("model", tuple(model.name for model in board.models))
    precisions = Column("precision", tuple(model.precision for model in board.models))
    measured = (*rendering.model_columns(board.models), *model_tables.accuracy_columns(board.models))
    return [names, precisions, *measured]


def stage_tables(board: Board, width: int) -> list[list[Column]]:
    """Return the tables of the stages, none when they were not measured."""
    names, stages, wholes = model_tables.stage_columns(board)
    return packed(names, [stages, wholes], width) if stages else []


def packed(names: Sequence[Column], groups: Sequence[Sequence[Column]], width: int) -> list[list[Column]]:
    """Divide groups of columns into tables of at most `width` cells, each of which begins with the names.

    A group that is too wide beside the names is divided as well; a single column never is.
    """
    tables: list[list[Column]] = []
    for group in _divided(names, groups, width):
        if tables and table_width([*tables[-1], *group]) <= width:
            tables[-1] += group
        else:
            tables.append([*names, *group])
    return tables


def _divided(names: Sequence[Column], groups: Sequence[Sequence[Column]], width: int) -> Generator[Sequence[Column]]:
    for group in groups:
        if table_width([*names, *group]) <= width:
            yield group
        else:
            yield from ([column] for column in group)


def table_width(columns: Sequence[Column]) -> int:
    """Return how wide a table of these columns is, in cells."""
    widths = [max(cell_len(text) for text in (column.title, *column.texts)) for column in columns]
    return sum(widths) + _GAP * (len(columns) - 1)


def _table(columns: Sequence[Column], names: Sequence[Column]) -> Table:
    """Return a table; names fold where it is too wide all the same, figures never."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = {column.title for column in names}
    for column in columns:
        is_name = column.title in titles
        table.add_column(column.title, justify="left" if is_name else "right", overflow="fold", no_wrap=not is_name)
    for texts in zip(*(column.texts for column in columns), strict=True):
        table.add_row(*(Text(text) for text in texts))
    return table
