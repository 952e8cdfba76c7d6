"""What a precision costs in time: each conversion of a network beside its float32 form."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_seg_bench.assembly import blocks_of
from edge_seg_bench.report.svg import INK, new_figure, precision_colour, shortened, style_axes, write_beside
from edge_seg_bench.results import Board, Model, Row, measured_rows
from edge_seg_bench.statistics import RatioInterval, ratio_of_medians
from edge_seg_bench.wording import ms, thread_words

_FLOAT = "float32"
_ROW_INCHES = 0.27
_RESAMPLES = 1000


@dataclass(frozen=True)
class Bar:
    """One conversion of a family."""

    precision: str
    median_ms: float
    time: RatioInterval
    """Of the float32 form's time."""


@dataclass(frozen=True)
class Group:
    """A family of models in one runtime at one number of threads; the float32 form first."""

    title: str
    bars: tuple[Bar, ...]


def family_of(model: Model) -> str:
    """Return a model's name without its precision, "" when it has no other name."""
    return re.sub(rf"[_\-.]?{re.escape(model.precision)}", "", model.name)


def precision_groups(board: Board) -> list[Group]:
    """Return each family that has a float32 form and another one, at the fewest threads its runtime ran with."""
    groups: list[Group] = []
    for rows in _families(board):
        reference = next((row for row in rows if board.model_of(row).precision == _FLOAT), None)
        if reference is None or len(rows) < 2:
            continue
        others = [row for row in rows if row is not reference]
        bars = tuple(_bar(board, row, reference) for row in (reference, *others))
        family = shortened(family_of(board.model_of(reference)))
        where = f"{reference.runtime}, {thread_words(reference.threads)}"
        groups.append(Group(f"{family}\n{where}" if family else where, bars))
    return groups


def draw_precisions(groups: Sequence[Group]) -> Any:
    """Draw the time of each form as a bar, with the interval of its ratio to float32."""
    count = sum(len(group.bars) + 1 for group in groups)
    figure = new_figure(8.2, 0.7 + _ROW_INCHES * count)
    axes: Any = figure.add_subplot()
    position, centres = 0.0, list[float]()
    for group in groups:
        centres.append(position + (len(group.bars) - 1) / 2)
        for bar in group.bars:
            _draw_bar(axes, position, bar)
            position += 1
        position += 1
    style_axes(axes, "time of one inference, % of the float32 form")
    axes.set_yticks(centres, [group.title for group in groups])
    axes.set_ylim(position - 1.4, -0.6)
    axes.set_xlim(0, 1.5 * max(100 * (bar.time.high or bar.time.ratio) for group in groups for bar in group.bars))
    return figure


def _families(board: Board) -> list[list[Row]]:
    """Return the measured rows of each family and runtime, at the fewest threads."""
    rows = measured_rows(board)
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        fewest = min(other.threads for other in rows if other.runtime == row.runtime)
        if row.threads == fewest:
            found.setdefault((family_of(board.model_of(row)), row.runtime), []).append(row)
    return list(found.values())


def _bar(board: Board, row: Row, reference: Row) -> Bar:
    assert row.measurement is not None
    time = (
        RatioInterval(1.0, None, None)
        if row is reference
        else ratio_of_medians(blocks_of(row), blocks_of(reference), resamples=_RESAMPLES, seed=board.settings.seed)
    )
    return Bar(board.model_of(row).precision, row.measurement.latency.p50_ms, time)


def _draw_bar(axes: Any, position: float, bar: Bar) -> None:
    percent, high = 100 * bar.time.ratio, 100 * (bar.time.high or bar.time.ratio)
    axes.barh(position, percent, height=0.82, color=precision_colour(bar.precision))
    words = f"{bar.precision}  {ms(bar.median_ms)} ms"
    if bar.time.low is not None:
        low = 100 * bar.time.low
        axes.hlines(position, low, high, color=INK, linewidth=1.4)
        axes.vlines((low, high), position - 0.2, position + 0.2, color=INK, linewidth=1.4)
        words += f", {percent:.0f}% [{low:.0f}, {high:.0f}]"
    write_beside(axes, words, max(percent, high), position)
