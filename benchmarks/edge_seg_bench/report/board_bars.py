"""Several boards beside each other, on what more than one of them measured."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from edge_seg_bench.assembly import blocks_of
from edge_seg_bench.board_names import board_names
from edge_seg_bench.report.svg import (
    INK,
    PALETTE,
    legend_below,
    mark_1_2_5,
    new_figure,
    shortened,
    style_axes,
    write_beside,
)
from edge_seg_bench.results import Board, Row, RowKey, measured_rows
from edge_seg_bench.statistics import MIN_RUNS_FOR_INTERVAL, interval_of_block_median
from edge_seg_bench.wording import ms, thread_words

_BAR_INCHES = 0.24


def common_rows(boards: Sequence[Board]) -> dict[RowKey, dict[int, Row]]:
    """Return the rows that two boards or more measured, each by the board's index."""
    counts = Counter(row.key for board in boards for row in measured_rows(board))
    found: dict[RowKey, dict[int, Row]] = {}
    for index, board in enumerate(boards):
        for row in measured_rows(board):
            if counts[row.key] > 1:
                found.setdefault(row.key, {})[index] = row
    return found


def draw_boards(boards: Sequence[Board]) -> Any | None:
    """Draw the medians of common rows with their intervals, a colour for each board; None without common rows."""
    rows = common_rows(boards)
    if not rows:
        return None
    figure = new_figure(8.2, 1.2 + _BAR_INCHES * sum(len(of_board) + 0.8 for of_board in rows.values()))
    axes: Any = figure.add_subplot()
    shortest = min(_median_ms(row) for of_board in rows.values() for row in of_board.values())
    position, centres = 0.0, list[float]()
    for of_board in rows.values():
        centres.append(position + (len(of_board) - 1) / 2)
        position = _draw_group(axes, position, of_board, shortest / 2) + 0.8
    axes.set_xscale("log")
    mark_1_2_5(axes.xaxis)
    style_axes(axes, "median milliseconds per inference, logarithmic")
    axes.set_yticks(centres, [f"{shortened(key.model)}\n{key.runtime}, {thread_words(key.threads)}" for key in rows])
    axes.set_ylim(position - 1.2, -0.6)
    axes.set_xlim(shortest / 2, 1.8 * max(_median_ms(row) for of_board in rows.values() for row in of_board.values()))
    legend_below(axes, _handles(boards), 2)
    return figure


def _draw_group(axes: Any, position: float, rows: Mapping[int, Row], left: float) -> float:
    """Draw the bars of one row of the table; return the position after them."""
    for index, row in rows.items():
        median = _median_ms(row)
        axes.barh(position, median - left, left=left, height=0.84, color=PALETTE[index % len(PALETTE)])
        blocks = blocks_of(row)
        high = median
        if sum(block.size for block in blocks) >= MIN_RUNS_FOR_INTERVAL:
            low, high = interval_of_block_median(blocks)
            axes.hlines(position, low, high, color=INK, linewidth=1.4)
        write_beside(axes, f"{ms(median)} ms", max(median, high), position)
        position += 1
    return position


def _handles(boards: Sequence[Board]) -> list[Any]:
    from matplotlib.patches import Patch

    return [Patch(color=PALETTE[index % len(PALETTE)], label=name) for index, name in enumerate(board_names(boards))]


def _median_ms(row: Row) -> float:
    assert row.measurement is not None
    return row.measurement.latency.p50_ms
