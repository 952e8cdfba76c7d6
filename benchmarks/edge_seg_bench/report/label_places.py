"""Where labels go, so that none covers another."""

from collections.abc import Sequence
from typing import Any

from edge_seg_bench.report.svg import INK, PAPER

# Offsets in points from the labelled place, the best first: (x, y, horizontal alignment).
_OFFSETS = tuple(
    (sign * 9 if side else 0, height, side or "center")
    for height in (12, 0, -12, 22, -22, 33, -33, 44, -44)
    for sign, side in ((1, None), (1, "left"), (-1, "right"))
    if side or height
)
_MARK_PX = 14


def label_points(axes: Any, points: Sequence[tuple[float, float, str]], marks: Sequence[tuple[float, float]]) -> None:
    """Write each text beside its point (x, y, text), clear of the other texts, of all marks and of the frame.

    Args:
        axes: with their final limits.
        points: what is labelled, in data units.
        marks: all points that are drawn, in data units.
    """
    from matplotlib.transforms import Bbox

    axes.figure.draw_without_rendering()
    half = _MARK_PX / 2
    centres = [axes.transData.transform(mark) for mark in marks]
    taken = [Bbox.from_bounds(x - half, y - half, _MARK_PX, _MARK_PX) for x, y in centres]
    for x, y, text in sorted(points, key=lambda point: -point[1]):
        taken.append(_write_clear(axes, (x, y), text, taken))


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return positions at least `gap` apart, in the order of `wanted` and near to it."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        while len(groups) > 1 and _first(groups[-1], wanted, gap) - _last(groups[-2], wanted, gap) < gap:
            groups[-2:] = [groups[-2] + groups[-1]]
    placed = {
        index: _first(group, wanted, gap) + number * gap for group in groups for number, index in enumerate(group)
    }
    return [placed[index] for index in range(len(wanted))]


def _write_clear(axes: Any, point: tuple[float, float], text: str, taken: Sequence[Any]) -> Any:
    """Write at the first free offset, or at the first one when all are taken; return the box it takes."""
    label = axes.annotate(
        text,
        point,
        (0, 0),
        textcoords="offset points",
        va="center",
        fontsize=8.5,
        color=INK,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5},
        zorder=2,
    )
    for offset in (*_OFFSETS, _OFFSETS[0]):
        label.set_position(offset[:2])
        label.set_horizontalalignment(offset[2])
        box = label.get_window_extent()
        frame = axes.bbox
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        if inside and not box.count_overlaps(taken):
            break
    return label.get_window_extent()


def _first(group: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    """Return the lowest position of a group that is centred on what its members want."""
    return sum(wanted[index] for index in group) / len(group) - gap * (len(group) - 1) / 2


def _last(group: Sequence[int], wanted: Sequence[float], gap: float) -> float:
    return _first(group, wanted, gap) + gap * (len(group) - 1)
