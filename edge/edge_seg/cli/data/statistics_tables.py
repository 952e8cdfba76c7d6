"""The figures of a data set as tables and bars of text."""

from collections.abc import Sequence
from itertools import pairwise

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from edge_seg.classes import SegmentationClass
from edge_seg.dataset.statistics import (
    AREA_EDGES,
    ClassStatistics,
    DatasetStatistics,
    GroupStatistics,
    PictureStatistics,
    Spread,
)

_BLOCKS = " ▁▂▃▄▅▆▇█"
_BAR_LINES = 3
_SIZES_NAMED = 4


def text_bars(counts: Sequence[int], lines: int = _BAR_LINES) -> list[str]:
    """Draw one column of blocks per count, `lines` lines high, the greatest count filling them.

    A count above 0 shows at least an eighth of a line.
    """
    steps = len(_BLOCKS) - 1
    return [_column(-(-count * lines * steps // max(1, *counts)), lines, steps) for count in counts]


def _column(eighths: int, lines: int, steps: int) -> str:
    filled = [min(steps, max(0, eighths - line * steps)) for line in reversed(range(lines))]
    return "\n".join(3 * _BLOCKS[step] for step in filled)


def class_table(statistics: DatasetStatistics) -> Table:
    """Make a table of every class in every split, and in all of them where there are several."""
    groups = dict(statistics.splits) | ({"all": statistics.whole} if len(statistics.splits) > 1 else {})
    table = Table("class", "split", box=SIMPLE)
    for heading in ("pictures", "of pixels", "of pixels\nwhere present", "median\narea", "median\npixels", "objects"):
        table.add_column(heading, justify="right")
    for name in statistics.whole.classes:
        for number, (split, group) in enumerate(groups.items()):
            last = number == len(groups) - 1
            title = escape(name) if number == 0 else ""
            table.add_row(title, split, *_class_cells(group.classes[name]), end_section=last)
    return table


def area_table(statistics: DatasetStatistics, classes: Sequence[SegmentationClass]) -> Table:
    """Make a bar chart of areas for every class that is no background."""
    table = Table("% of area", box=SIMPLE)
    for low, high in pairwise(AREA_EDGES):
        table.add_column(f"≥{100 * low:g}" if low else f"<{100 * high:g}", justify="center")
    for item in classes:
        if not item.is_background:
            histogram = statistics.whole.classes[item.name].area_histogram
            cells = [f"{bar}\n{count or ''}" for bar, count in zip(text_bars(histogram), histogram, strict=True)]
            table.add_row("\n" * _BAR_LINES + escape(item.name), *cells)
    return table


def picture_lines(pictures: PictureStatistics) -> list[str]:
    """Describe the sizes and formats of the pictures."""
    sizes = [f"{width}×{height} ({count:,})" for width, height, count in pictures.sizes[:_SIZES_NAMED]]
    more = len(pictures.sizes) - len(sizes)
    formats = ", ".join(f"{name} {count:,}" for name, count in pictures.formats.items())
    return [
        f"width {_span(pictures.width_px)} pixels, height {_span(pictures.height_px)}, "
        f"aspect ratio {_span(pictures.aspect_ratio, '.2f')}",
        f"sizes: {', '.join(sizes)}{f' and {more:,} more' if more else ''}",
        f"formats: {formats}",
    ]


def ignored_line(group: GroupStatistics) -> str:
    """Say how much of the pictures is ignored."""
    return f"ignored: {group.ignored_share:.1%} of the pixels"


def _class_cells(figures: ClassStatistics) -> tuple[str, ...]:
    return (
        f"{figures.pictures:,}",
        f"{figures.pixel_share:.1%}",
        f"{figures.share_where_present:.1%}",
        f"{figures.median_area_share:.2%}",
        f"{figures.median_area_px:,.0f}",
        "–" if figures.objects is None else f"{figures.objects:,}",
    )


def _span(spread: Spread, form: str = ".0f") -> str:
    if spread.minimum == spread.maximum:
        return f"{spread.median:{form}}"
    return f"{spread.minimum:{form}} to {spread.maximum:{form}} (median {spread.median:{form}})"
