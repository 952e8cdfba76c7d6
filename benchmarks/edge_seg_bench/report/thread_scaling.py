"""What further threads gain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_seg_bench.report.label_places import spread
from edge_seg_bench.report.svg import PALETTE, SOFT, new_figure, shortened, style_axes, write_beside
from edge_seg_bench.results import Board, RowKey
from edge_seg_bench.statistics import RatioInterval

_HEIGHT_INCHES = 4.4
_LABEL_INCHES = 0.19


@dataclass(frozen=True)
class ScalingCurve:
    """A model in a runtime: its speed-up over its fewest threads, by the number of threads."""

    model: str
    runtime: str
    speedups: dict[int, RatioInterval]


def scaling_curves(board: Board) -> list[ScalingCurve]:
    """Return a curve for each model and runtime that was measured with several numbers of threads."""
    found: dict[RowKey, dict[int, RatioInterval]] = {}
    for scaling in sorted(board.scalings, key=lambda scaling: scaling.row.threads):
        first = scaling.reference
        speedups = found.setdefault(first, {first.threads: RatioInterval(1.0, None, None)})
        speedups[scaling.row.threads] = scaling.speedup
    return [ScalingCurve(first.model, first.runtime, speedups) for first, speedups in found.items()]


def draw_scaling(curves: Sequence[ScalingCurve]) -> Any:
    """Draw the curves with their intervals, and a line where n times the threads would be n times as fast."""
    figure = new_figure(8.2, _HEIGHT_INCHES)
    axes: Any = figure.add_subplot()
    counts = sorted({threads for curve in curves for threads in curve.speedups})
    ideal = [threads / counts[0] for threads in counts]
    axes.plot(counts, ideal, color=SOFT, linewidth=1.2, linestyle=(0, (4, 3)))
    write_beside(axes, "ideal", counts[-1], ideal[-1], xytext=(-8, 0), ha="right", color=SOFT)
    several = len({curve.runtime for curve in curves}) > 1
    for index, curve in enumerate(curves):
        _draw_curve(axes, curve, PALETTE[index % len(PALETTE)], (index - (len(curves) - 1) / 2) * 0.012)
    style_axes(axes, "threads", grid="both")
    axes.set_ylabel(f"speed-up over {counts[0]} thread{'s' if counts[0] > 1 else ''}", fontsize=9, color=SOFT)
    axes.set_xticks(counts)
    top = max(*ideal, *(speedup.high or speedup.ratio for curve in curves for speedup in curve.speedups.values()))
    axes.set_ylim(0, 1.06 * top)
    _name_curves(axes, curves, counts, several, 1.06 * top * _LABEL_INCHES / (0.82 * _HEIGHT_INCHES))
    return figure


def _draw_curve(axes: Any, curve: ScalingCurve, colour: str, shift: float) -> None:
    """Draw one curve; its intervals are shifted aside a little, so that they do not hide others."""
    counts = list(curve.speedups)
    axes.plot(
        counts, [speedup.ratio for speedup in curve.speedups.values()], "o-", color=colour, markersize=5, linewidth=1.8
    )
    for threads, speedup in curve.speedups.items():
        if speedup.low is not None and speedup.high is not None:
            axes.vlines(threads + shift, speedup.low, speedup.high, color=colour, linewidth=1.4)


def _name_curves(
    axes: Any, curves: Sequence[ScalingCurve], counts: Sequence[int], several_runtimes: bool, gap: float
) -> None:
    """Write each curve's name at its end, the names apart from each other."""
    ends = [list(curve.speedups.items())[-1] for curve in curves]
    heights = spread([speedup.ratio for _, speedup in ends], gap)
    right = counts[-1] + 0.06 * (counts[-1] - counts[0])
    for index, (curve, (threads, speedup), height) in enumerate(zip(curves, ends, heights, strict=True)):
        colour = PALETTE[index % len(PALETTE)]
        axes.plot([threads, right], [speedup.ratio, height], color=colour, linewidth=0.7, clip_on=False)
        name = f"{curve.model}, {curve.runtime}" if several_runtimes else curve.model
        write_beside(axes, f"{shortened(name)}  {speedup.ratio:.2f}×", right, height, xytext=(3, 0))
    axes.set_xlim(counts[0] - 0.04 * (counts[-1] - counts[0]), right)
