"""Where the time from a picture file to an overlay file goes."""

from collections.abc import Sequence
from typing import Any

from edge_seg_bench.report.svg import (
    PALETTE,
    SOFT,
    legend_below,
    new_figure,
    on_colour,
    shortened,
    style_axes,
    write_beside,
)
from edge_seg_bench.results import Model, Stages
from edge_seg_bench.wording import ms, thread_words

_ROW_INCHES = 0.72
_LEAST_LABELLED_SHARE = 0.06


def draw_stages(models: Sequence[Model]) -> Any:
    """Draw the median of each stage end to end, and below it bare inference in the same process."""
    told = [(model.name, model.stages) for model in models if model.stages]
    figure = new_figure(8.2, 1.1 + _ROW_INCHES * len(told))
    axes: Any = figure.add_subplot()
    names = list(dict.fromkeys(stage for _, stages in told for stage in stages.stages))
    colours = {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names)}
    longest = max(max(stages.whole.p50_ms, _sum_ms(stages)) for _, stages in told)
    for position, (_, stages) in enumerate(told):
        _draw_stack(axes, position, stages, colours, longest)
    style_axes(axes, "median milliseconds per picture")
    axes.set_yticks(range(len(told)), [_title(name, stages) for name, stages in told])
    axes.set_ylim(len(told) - 0.4, -0.5)
    axes.set_xlim(0, 1.2 * longest)
    legend_below(axes, _handles(colours), 7)
    return figure


def _draw_stack(axes: Any, position: int, stages: Stages, colours: dict[str, str], longest: float) -> None:
    left = 0.0
    for name, latency in stages.stages.items():
        axes.barh(position - 0.14, latency.p50_ms, left=left, height=0.42, color=colours[name])
        if latency.p50_ms > _LEAST_LABELLED_SHARE * longest:
            label = ms(latency.p50_ms)
            axes.text(
                left + latency.p50_ms / 2,
                position - 0.14,
                label,
                ha="center",
                va="center",
                fontsize=8,
                color=on_colour(colours[name]),
            )
        left += latency.p50_ms
    bare = stages.bare_invoke.p50_ms
    axes.barh(position + 0.2, bare, height=0.17, color=SOFT)
    write_beside(axes, f"{ms(stages.whole.p50_ms)} ms", left, position - 0.14, fontweight="bold")
    write_beside(axes, f"{ms(bare)} ms bare", bare, position + 0.2, fontsize=8)


def _handles(colours: dict[str, str]) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        *(Patch(color=colour, label=name) for name, colour in colours.items()),
        Patch(color=SOFT, label="bare inference"),
    ]


def _sum_ms(stages: Stages) -> float:
    return sum(latency.p50_ms for latency in stages.stages.values())


def _title(name: str, stages: Stages) -> str:
    return f"{shortened(name)}\n{stages.runtime}, {thread_words(stages.threads)}"
