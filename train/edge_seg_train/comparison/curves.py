"""The curves of several runs laid over each other (matplotlib), on white or on dark paper."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from edge_seg_train.comparison.experiments import VARIANTS, ComparedRun, Comparison
from edge_seg_train.history import Epoch
from edge_seg_train.paper import Paper, lay_on

# One of each for each variant: Okabe & Ito's colours, legible on both papers; dashes and markers do without colour.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
_DASHES = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P")
_MOST_MARKERS = 8
_DPI = 110


@dataclass(frozen=True)
class _Panel:
    title: str
    up: Callable[[Epoch], float]
    is_quality: bool = False
    over_time: bool = False


def draw_curves(comparison: Comparison, paper: Paper) -> bytes:
    """Draw validation mIoU over epochs and over time, and both losses over epochs, as PNG."""
    figure = Figure(figsize=(11, 8.2), layout="constrained", facecolor=paper.background)
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 2).flat
    for axes, panel in zip(panels, _panels(comparison), strict=True):
        _draw_panel(axes, panel, comparison, paper)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False, labelcolor=paper.ink)
    return _png(figure)


def _panels(comparison: Comparison) -> tuple[_Panel, ...]:
    return (
        _Panel("Validation mIoU", lambda epoch: epoch.scores.miou, is_quality=True),
        _Panel("Validation mIoU over time", lambda epoch: epoch.scores.miou, is_quality=True, over_time=True),
        _Panel(f"Training loss ({comparison.config.loss})", lambda epoch: epoch.loss),
        _Panel("Validation cross-entropy, nats per pixel", lambda epoch: epoch.val_loss),
    )


def _draw_panel(axes: Any, panel: _Panel, comparison: Comparison, paper: Paper) -> None:
    for run in comparison.runs:
        _draw_curve(axes, panel, run)
    if panel.is_quality and comparison.target_miou is not None:
        _draw_target(axes, comparison.target_miou, paper)
    axes.set(title=panel.title, xlabel="minutes" if panel.over_time else "epoch")
    lay_on(axes, paper)
    if not panel.over_time:
        axes.xaxis.get_major_locator().set_params(integer=True)


def _draw_curve(axes: Any, panel: _Panel, run: ComparedRun) -> None:
    epochs, style = run.result.epochs, VARIANTS.index(run.variant)
    axes.plot(
        _minutes(epochs) if panel.over_time else [epoch.number for epoch in epochs],
        [panel.up(epoch) for epoch in epochs],
        color=_COLOURS[style],
        ls=_DASHES[style],
        marker=_MARKERS[style],
        markevery=max(1, len(epochs) // _MOST_MARKERS),
        ms=5,
        lw=1.9,
        label=run.variant.name,
    )


def _minutes(epochs: Sequence[Epoch]) -> list[float]:
    return [seconds / 60 for seconds in accumulate(epoch.seconds for epoch in epochs)]


def _draw_target(axes: Any, target: float, paper: Paper) -> None:
    axes.axhline(target, color=paper.soft, lw=1, zorder=1)
    axes.annotate(
        f"target {target:.3f}",
        (0, target),
        (4, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color=paper.soft,
        fontsize=9,
    )


def _png(figure: Figure) -> bytes:
    encoded = io.BytesIO()
    figure.savefig(encoded, format="png", dpi=_DPI)
    return encoded.getvalue()
