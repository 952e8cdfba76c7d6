"""Accuracy over latency, with the rows that no other beats in both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_seg_bench.report.label_places import label_points
from edge_seg_bench.report.svg import (
    PAPER,
    SOFT,
    legend_below,
    mark_1_2_5,
    new_figure,
    precision_colour,
    shortened,
    style_axes,
)
from edge_seg_bench.results import Board, Model
from edge_seg_bench.wording import thread_words

RECORDED = "as the model files record it"
_MARKERS = "osD^vPX*"


@dataclass(frozen=True)
class Point:
    """A measured row of a model whose mIoU is known."""

    model: str
    precision: str
    series: str
    """Runtime and threads."""
    latency_ms: float
    miou: float
    is_measured: bool
    """Whether the mIoU was measured with the latency; else the model's file says it."""


def accuracy_groups(board: Board) -> dict[str, list[Point]]:
    """Return the points of each data set by its name; mIoUs on different pictures are not compared.

    What model files record names no data set, and stands apart from what was measured.
    """
    groups: dict[str, list[Point]] = {}
    for row in board.rows:
        model = board.model_of(row)
        miou = model.accuracy.miou if model.accuracy else model.recorded_metrics.get("miou")
        if row.measurement is None or miou is None:
            continue
        series = f"{row.runtime}, {thread_words(row.threads)}"
        latency_ms = row.measurement.latency.p50_ms
        point = Point(row.model, model.precision, series, latency_ms, miou, model.accuracy is not None)
        groups.setdefault(_data_name(model), []).append(point)
    return groups


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other one beats, fastest first: every slower one must be more accurate."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.latency_ms, -point.miou)):
        if not front or point.miou > front[-1].miou:
            front.append(point)
    return front


def draw_accuracy(points: Sequence[Point]) -> Any:
    """Draw mIoU over median latency, a mark for each row, and the front as a line."""
    figure = new_figure(8.2, 4.9)
    axes: Any = figure.add_subplot()
    series = list(dict.fromkeys(point.series for point in points))
    markers = {name: _MARKERS[index % len(_MARKERS)] for index, name in enumerate(series)}
    _draw_front(axes, pareto_front(points))
    for point in points:
        _draw_point(axes, point, markers[point.series])
    style_axes(axes, "median milliseconds per inference, logarithmic", grid="both")
    axes.set_ylabel("mIoU", fontsize=9, color=SOFT)
    _set_limits(axes, points)
    legend_below(axes, _handles(points, markers), 4)
    labelled = {point.model: point for point in sorted(points, key=lambda point: -point.latency_ms)}
    label_points(
        axes,
        [(point.latency_ms, point.miou, shortened(point.model)) for point in labelled.values()],
        [(point.latency_ms, point.miou) for point in points],
    )
    return figure


def _data_name(model: Model) -> str:
    return f"{model.accuracy.data}, {model.accuracy.split}" if model.accuracy else RECORDED


def _draw_front(axes: Any, front: Sequence[Point]) -> None:
    latencies = [point.latency_ms for point in front]
    mious = [point.miou for point in front]
    axes.step(latencies, mious, where="post", color=SOFT, linewidth=1.2, linestyle=(0, (4, 3)), zorder=1)


def _draw_point(axes: Any, point: Point, marker: str) -> None:
    colour = precision_colour(point.precision)
    face = colour if point.is_measured else PAPER
    axes.plot([point.latency_ms], [point.miou], marker, color=colour, markerfacecolor=face, markersize=8, zorder=3)


def _set_limits(axes: Any, points: Sequence[Point]) -> None:
    latencies = [point.latency_ms for point in points]
    mious = [point.miou for point in points]
    room = max(0.01, 0.16 * (max(mious) - min(mious)))
    axes.set_xscale("log")
    mark_1_2_5(axes.xaxis)
    axes.set_xlim(min(latencies) / 1.35, max(latencies) * 1.6)
    axes.set_ylim(min(mious) - room, max(mious) + room)


def _handles(points: Sequence[Point], markers: dict[str, str]) -> list[Any]:
    """Return what explains colours, marks and the line."""
    from matplotlib.lines import Line2D

    precisions = list(dict.fromkeys(point.precision for point in points))
    handles: list[Any] = [
        Line2D([], [], marker="s", linestyle="", markersize=8, color=precision_colour(name), label=name)
        for name in precisions
    ]
    handles += [
        Line2D([], [], marker=marker, linestyle="", markersize=7, color=SOFT, label=name)
        for name, marker in markers.items()
    ]
    return [*handles, Line2D([], [], color=SOFT, linestyle=(0, (4, 3)), linewidth=1.2, label="none is better in both")]
