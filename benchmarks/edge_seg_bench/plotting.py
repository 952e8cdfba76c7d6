"""latency.png: every sample of every model on one axis."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_seg.files import atomic_path
from edge_seg_bench.measurement import thread_words
from edge_seg_bench.rendering import machine_words, ms
from edge_seg_bench.results import Board, Measurement, Row

# Okabe & Ito (2008), distinguishable with every kind of colour blindness.
PRECISION_COLOURS = {
    "float32": "#0072B2",
    "float16": "#56B4E9",
    "dynamic": "#E69F00",
    "int8": "#009E73",
    "unknown": "#7F7F7F",
}
_INK = "#222222"
_LOGARITHMIC_FROM = 8.0
_ROW_INCHES = 0.75
_MAX_DOTS = 500
_JITTER = 0.24


def plot_latency(path: Path, board: Board) -> None:
    """Write a strip plot of the raw samples with median, p90 and p99 of each row, fastest on top.

    The axis is logarithmic when the medians differ by more than eight times.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pairs = [(row, row.measurement) for row in board.rows if row.measurement]
    measured = sorted(pairs, key=lambda pair: pair[1].latency.p50_ms)
    figure: Any = Figure(figsize=(9.5, 1.7 + _ROW_INCHES * len(measured)), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    for position, (row, measurement) in enumerate(measured):
        _draw_row(axes, position, board.model_of(row).precision, measurement)
    _set_scale(axes, [measurement for _, measurement in measured])
    _label(axes, [_row_title(board, row) for row, _ in measured])
    _title(axes, board)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _draw_row(axes: Any, position: int, precision: str, measurement: Measurement) -> None:
    colour = PRECISION_COLOURS.get(precision, PRECISION_COLOURS["unknown"])
    latency = measurement.latency
    samples = _thinned(np.concatenate([np.asarray(block) for block in measurement.blocks_ms]))
    heights = position + np.random.default_rng(0).uniform(-_JITTER, _JITTER, samples.size)
    axes.scatter(samples, heights, s=9, color=colour, alpha=0.35, linewidths=0, zorder=2)
    axes.hlines(position, latency.p50_ms, latency.p99_ms, color=_INK, linewidth=1.2, zorder=3)
    axes.vlines(latency.p50_ms, position - 0.33, position + 0.33, color=_INK, linewidth=2.6, zorder=4)
    axes.plot([latency.p90_ms], [position], marker="|", markersize=11, color=_INK, zorder=4)
    axes.plot([latency.p99_ms], [position], marker="o", markersize=5, color=_INK, markerfacecolor="white", zorder=4)
    axes.annotate(
        f"{ms(latency.p50_ms)} ms",
        (latency.p50_ms, position - 0.34),
        xytext=(0, 2),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=9.5,
        fontweight="bold",
        color=_INK,
    )


def _row_title(board: Board, row: Row) -> str:
    return f"{row.model}\n{board.model_of(row).precision}, {row.runtime}, {thread_words(row.threads)}"


def _thinned(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return at most _MAX_DOTS samples evenly spread in time."""
    return samples[:: max(1, -(-samples.size // _MAX_DOTS))]


def _set_scale(axes: Any, measurements: Sequence[Measurement]) -> None:
    """Show the whole of every p99; samples beyond are cut off rather than left to squeeze the rest."""
    medians = [measurement.latency.p50_ms for measurement in measurements]
    longest = max(measurement.latency.p99_ms for measurement in measurements)
    if max(medians) > _LOGARITHMIC_FROM * min(medians):
        axes.set_xscale("log")
        _mark_1_2_5(axes)
        shortest = min(measurement.latency.min_ms for measurement in measurements)
        axes.set_xlim(shortest / 1.6, longest * 1.6)
    else:
        axes.set_xlim(0, longest * 1.08)


def _title(axes: Any, board: Board) -> None:
    axes.set_title(machine_words(board.machine), loc="left", fontsize=10, color="#555555")
    above = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate("Inference latency", (0, 1), xytext=(0, 24), fontsize=13, fontweight="bold", **above)


def _mark_1_2_5(axes: Any) -> None:
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullLocator

    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_locator(NullLocator())


def _label(axes: Any, titles: Sequence[str]) -> None:
    axes.set_yticks(range(len(titles)), titles, fontsize=9.5)
    axes.set_ylim(len(titles) - 0.45, -0.75)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    axes.set_xlabel("milliseconds per inference: dots are runs, bold line p50, tick p90, ring p99")
