"""The figures of a data set as charts (matplotlib): one sheet as PNG, or single charts as SVG for a page."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from edge_seg.classes import SegmentationClass
from edge_seg.dataset import Manifest
from edge_seg.dataset.statistics import AREA_EDGES, DatasetStatistics
from edge_seg.files import atomic_path

MOST_CLASSES = 24
"""Charts show no more classes than this: those that most pictures hold."""

_INK, _SOFT, _LINE, _PAPER = "#22303c", "#64748b", "#dbe3ea", "#ffffff"
_BACKGROUND_BAR = "#d5dbe1"
_SPLIT_OPACITY = {"train": 1.0, "val": 0.62, "test": 0.36}
_MOST_LABELLED_BARS = 24
_DOT_AREAS = 14, 320  # least and greatest, in square points
_BIN_NAMES = tuple(f"{100 * edge:g}" for edge in AREA_EDGES)


def write_sheet(path: Path, statistics: DatasetStatistics, manifest: Manifest) -> None:
    """Write all charts on one sheet; the suffix names the format."""
    shown = drawn_classes(statistics, manifest.classes)
    foreground = [item for item in shown if not item.is_background]
    columns = min(2, len(foreground)) or 1
    rows = -(-len(foreground) // columns)
    heights = [_overview_inches(len(shown)), *[2.5] * rows]
    figure = _figure(13, sum(heights) + 0.9)
    figure.suptitle(_title(statistics, manifest), x=0.012, ha="left", fontsize=15, fontweight="bold", color=_INK)
    bands = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    _draw_overview(bands[0], statistics, shown)
    for row, band in enumerate(bands[1:]):
        places = np.atleast_1d(band.subfigures(1, columns))
        for item, place in zip(foreground[row * columns :], places, strict=False):
            draw_class(place, statistics, item)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)


def overview_svg(statistics: DatasetStatistics, classes: Sequence[SegmentationClass]) -> bytes:
    """Draw shares, pictures per class and picture sizes beside each other, as SVG."""
    shown = drawn_classes(statistics, classes)
    figure = _figure(13, _overview_inches(len(shown)))
    _draw_overview(figure, statistics, shown)
    return _svg(figure)


def class_svg(statistics: DatasetStatistics, item: SegmentationClass) -> bytes:
    """Draw the areas and the places of one class, as SVG."""
    figure = _figure(6.5, 2.5)
    draw_class(figure, statistics, item)
    return _svg(figure)


def drawn_classes(statistics: DatasetStatistics, classes: Sequence[SegmentationClass]) -> tuple[SegmentationClass, ...]:
    """Return the MOST_CLASSES classes that most pictures hold, in the order of their ids."""
    frequent = sorted(classes, key=lambda item: (-statistics.whole.classes[item.name].pictures, item.id))
    return tuple(sorted(frequent[:MOST_CLASSES], key=lambda item: item.id))


def draw_class(place: Any, statistics: DatasetStatistics, item: SegmentationClass) -> None:
    """Draw the area histogram and the location map of one class into a (sub)figure."""
    areas, location = place.subplots(1, 2, width_ratios=(2.3, 1))
    _draw_areas(areas, statistics, item)
    _draw_location(location, statistics, item)


def _draw_overview(place: Any, statistics: DatasetStatistics, classes: Sequence[SegmentationClass]) -> None:
    shares, presence, sizes = place.subplots(1, 3)
    _draw_shares(shares, statistics, classes)
    _draw_presence(presence, statistics, classes)
    _draw_sizes(sizes, statistics)


def _draw_shares(axes: Any, statistics: DatasetStatistics, classes: Sequence[SegmentationClass]) -> None:
    """Draw one bar per split, divided by class."""
    splits = list(statistics.splits.values())
    left = np.zeros(len(splits))
    for item in classes:
        widths = np.array([100 * split.classes[item.name].pixel_share for split in splits])
        axes.barh(range(len(splits)), widths, left=left, color=_colour(item), label=item.name, height=0.6)
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            if width >= 7:
                axes.text(start + width / 2, row, f"{width:.0f} %", ha="center", va="center", fontsize=8.5, color=_INK)
        left += widths
    axes.set_yticks(range(len(splits)), list(statistics.splits), fontsize=9.5)
    axes.set_ylim(len(splits) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    _style(axes, "Share of the labelled pixels", "%", bars=True)
    columns = 3 if len(classes) > 3 else len(classes)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=columns, frameon=False, fontsize=8.5)


def _draw_presence(axes: Any, statistics: DatasetStatistics, classes: Sequence[SegmentationClass]) -> None:
    """Draw for every class the share of each split's pictures that hold it."""
    height = 0.8 / len(statistics.splits)
    labelled = len(classes) * len(statistics.splits) <= _MOST_LABELLED_BARS
    for row, item in enumerate(classes):
        for number, (name, split) in enumerate(statistics.splits.items()):
            pictures = split.classes[item.name].pictures
            top = row - 0.4 + (number + 0.5) * height
            opacity = _SPLIT_OPACITY[name]
            axes.barh(top, 100 * pictures / split.pictures, height * 0.86, color=_colour(item), alpha=opacity)
            if labelled:
                axes.text(1.5, top, f"{name} {pictures:,}", va="center", fontsize=7.5, color=_INK)
    axes.set_yticks(range(len(classes)), [item.name for item in classes], fontsize=9.5)
    axes.set_ylim(len(classes) - 0.45, -0.55)
    axes.set_xlim(0, 100)
    _style(axes, "Pictures that hold the class", "% of the split's pictures", bars=True)


def _draw_sizes(axes: Any, statistics: DatasetStatistics) -> None:
    sizes = statistics.pictures.sizes
    widths, heights, counts = (np.array(column) for column in zip(*sizes, strict=True))
    least, greatest = _DOT_AREAS
    axes.scatter(widths, heights, s=least + (greatest - least) * counts / counts.max(), color="#0072B2", alpha=0.45)
    axes.annotate(
        f"{widths[0]} × {heights[0]}: {counts[0]:,} pictures",
        (widths[0], heights[0]),
        xytext=(0.03, 0.95),
        textcoords="axes fraction",
        va="top",
        fontsize=8.5,
        color=_INK,
        arrowprops={"arrowstyle": "-", "color": _SOFT, "linewidth": 0.7},
    )
    axes.set_xlim(0, widths.max() * 1.12)
    axes.set_ylim(0, heights.max() * 1.25)
    _style(axes, "Sizes of the pictures", "width in pixels", bars=False)
    axes.set_ylabel("height in pixels", fontsize=8.5, color=_SOFT)


def _draw_areas(axes: Any, statistics: DatasetStatistics, item: SegmentationClass) -> None:
    """Draw how many pictures hold the class on which share of their area."""
    of_class = statistics.whole.classes[item.name]
    bins = np.arange(len(of_class.area_histogram)) + 0.5
    axes.bar(bins, of_class.area_histogram, width=0.92, color=_colour(item))
    for centre, count in zip(bins, of_class.area_histogram, strict=True):
        if count:
            axes.annotate(f"{count:,}", (centre, count), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    axes.set_xticks(range(len(AREA_EDGES)), _BIN_NAMES)
    axes.set_ylim(0, max(1, *of_class.area_histogram) * 1.15)
    title = f"{item.name}: {of_class.pictures:,} pictures, {_objects(of_class.objects)}"
    _style(axes, title, f"share of the picture in % (median {100 * of_class.median_area_share:.2g} %)", bars=True)
    axes.set_yticks([])


def _draw_location(axes: Any, statistics: DatasetStatistics, item: SegmentationClass) -> None:
    location = 100 * statistics.locations[item.id]
    shades: Any = LinearSegmentedColormap.from_list("class", [_PAPER, _colour(item), _INK])
    axes.imshow(location, cmap=shades, vmin=0, vmax=max(1e-9, 1.35 * float(location.max())), interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(_LINE)
    axes.set_title("Where it lies", loc="left", fontsize=10.5, color=_INK)
    span = f"{location.min():.0f} to {location.max():.0f} %"
    axes.set_xlabel(f"{span} of the pictures", fontsize=8.5, color=_SOFT)


def _style(axes: Any, title: str, label: str, *, bars: bool) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, color=_INK)
    axes.set_xlabel(label, fontsize=8.5, color=_SOFT)
    axes.spines[["top", "right", "left"] if bars else ["top", "right"]].set_visible(False)
    axes.spines[:].set_color(_LINE)
    axes.tick_params(labelsize=8.5, length=0, colors=_INK)


def _figure(width_inches: float, height_inches: float) -> Any:
    figure: Any = Figure(figsize=(width_inches, height_inches), layout="constrained", facecolor=_PAPER)
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.16, h_pad=0.1)
    return figure


def _svg(figure: Any) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    return written.getvalue()


def _overview_inches(class_count: int) -> float:
    return max(3.2, 1.2 + 0.42 * class_count)


def _colour(item: SegmentationClass) -> str:
    return _BACKGROUND_BAR if item.is_background else item.colour


def _objects(count: int | None) -> str:
    return "no objects" if count is None else f"{count:,} object{'' if count == 1 else 's'}"


def _title(statistics: DatasetStatistics, manifest: Manifest) -> str:
    splits = ", ".join(f"{name} {split.pictures:,}" for name, split in statistics.splits.items())
    count = len(manifest.classes)
    classes = f"{count} classes" if count <= MOST_CLASSES else f"the {MOST_CLASSES} most frequent of {count} classes"
    return f"{manifest.name}: {statistics.whole.pictures:,} pictures ({splits}), {classes}"
