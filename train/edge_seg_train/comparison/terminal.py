"""Tables of text on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from edge_seg_train.comparison.table import TextTable

LONGEST_NAME = 24
_NUMBER_WIDTH = 11


def terminal_table(table: TextTable, title: str = "") -> Table:
    """Draw a table with rich; long words are folded, numbers stay whole."""
    drawn = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    longest = max(len(line[0]) for line in (table.headings, *table.rows))
    for number, heading in enumerate(table.headings):
        if number == 0:
            drawn.add_column(escape(heading), overflow="fold", width=min(longest, LONGEST_NAME))
        elif number < table.words:
            drawn.add_column(escape(heading), overflow="fold", max_width=LONGEST_NAME)
        else:
            drawn.add_column(escape(heading), justify="right", overflow="fold", max_width=_NUMBER_WIDTH)
    for row in table.rows:
        drawn.add_row(*map(escape, row))
    return drawn


def columns_that_fit(width: int) -> int:
    """Say how many columns of numbers fit beside a column of names on a terminal of `width` characters."""
    return max(1, (width - LONGEST_NAME) // (_NUMBER_WIDTH + 2))
