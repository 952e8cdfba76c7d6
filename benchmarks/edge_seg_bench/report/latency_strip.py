"""Every sample of every row of a board on one axis."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_seg_bench.rendering import machine_words
from edge_seg_bench.report.svg import INK, PAPER, SOFT, mark_1_2_5, new_figure, precision_colour, shortened, style_axes
from edge_seg_bench.results import Board, Measurement, Row
from edge_seg_bench.wording import ms, thread_words

_LOGARITHMIC_FROM = 8.0
_ROW_INCHES = 0.62
_MAX_DOTS = 500
_JITTER = 0.24


def draw_latency(board: Board) -> Any:
    """Draw a strip plot of the raw samples with median, p90 and p99 of each row, fastest on top.

    The axis is logarithmic when the medians differ by more than eight times.
    """
    pairs = [(row, row.measurement) for row in board.rows if row.measurement]
    measured = sorted(pairs, key=lambda pair: pair[1].latency.p50_ms)
    figure = new_figure(8.2, 1.3 + _ROW_INCHES * len(measured))
    axes: Any = figure.add_subplot()
    for position, (row, measurement) in enumerate(measured):
        _draw_row(axes, position, board.model_of(row).precision, measurement)
    style_axes(axes, "milliseconds per inference: dots are runs, bold line p50, tick p90, ring p99")
    _set_scale(axes, [measurement for _, measurement in measured])
    axes.set_yticks(range(len(measured)), [_row_title(board, row) for row, _ in measured])
    axes.set_ylim(len(measured) - 0.45, -0.75)
    axes.set_title(machine_words(board.machine), loc="left", fontsize=9.5, color=SOFT)
    return figure


def _draw_row(axes: Any, position: int, precision: str, measurement: Measurement) -> None:
    latency = measurement.latency
    samples = _thinned(np.concatenate([np.asarray(block) for block in measurement.blocks_ms]))
    heights = position + np.random.default_rng(0).uniform(-_JITTER, _JITTER, samples.size)
    colour = precision_colour(precision)
    axes.scatter(samples, heights, s=9, color=colour, alpha=0.4, linewidths=0, zorder=2, rasterized=True)
    axes.hlines(position, latency.p50_ms, latency.p99_ms, color=INK, linewidth=1.2, zorder=3)
    axes.vlines(latency.p50_ms, position - 0.33, position + 0.33, color=INK, linewidth=2.6, zorder=4)
    axes.plot([latency.p90_ms], [position], marker="|", markersize=11, color=INK, zorder=4)
    axes.plot([latency.p99_ms], [position], marker="o", markersize=5, color=INK, markerfacecolor=PAPER, zorder=4)
    axes.annotate(
        f"{ms(latency.p50_ms)} ms",
        (latency.p50_ms, position - 0.34),
        xytext=(0, 1),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=9,
        fontweight="bold",
        color=INK,
    )


def _row_title(board: Board, row: Row) -> str:
    return f"{shortened(row.model)}\n{board.model_of(row).precision}, {row.runtime}, {thread_words(row.threads)}"


def _thinned(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return at most _MAX_DOTS samples evenly spread in time."""
    return samples[:: max(1, -(-samples.size // _MAX_DOTS))]


def _set_scale(axes: Any, measurements: Sequence[Measurement]) -> None:
    """Show the whole of every p99; samples beyond are cut off rather than left to squeeze the rest."""
    medians = [measurement.latency.p50_ms for measurement in measurements]
    longest = max(measurement.latency.p99_ms for measurement in measurements)
    if max(medians) > _LOGARITHMIC_FROM * min(medians):
        axes.set_xscale("log")
        mark_1_2_5(axes.xaxis)
        shortest = min(measurement.latency.min_ms for measurement in measurements)
        axes.set_xlim(shortest / 1.6, longest * 1.6)
    else:
        axes.set_xlim(0, longest * 1.08)
