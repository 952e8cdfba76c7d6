"""Pictures of a run: curves and sample predictions."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.layout_engine import ConstrainedLayoutEngine

from edge_seg.classes import SegmentationClass
from edge_seg.files import atomic_path
from edge_seg_train.history import Epoch, best_epoch
from edge_seg_train.paper import LIGHT, Paper, lay_on

MOST_NAMED_CLASSES = 8
_BLUE, _ORANGE = "#0072B2", "#D55E00"  # Okabe & Ito's, legible on light and on dark paper


def draw_curves(epochs: Sequence[Epoch], classes: Sequence[SegmentationClass], path: Path) -> None:
    """Write the curves of a run as PNG."""
    save_figure(_curves(epochs, classes, LIGHT), path)


def curves_svg(epochs: Sequence[Epoch], classes: Sequence[SegmentationClass], paper: Paper) -> bytes:
    """Draw the curves of a run as SVG."""
    figure, written = _curves(epochs, classes, paper), io.BytesIO()
    figure.savefig(written, format="svg", metadata={"Date": None})
    plt.close(figure)
    return written.getvalue()


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as PNG and close it."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)


def _curves(epochs: Sequence[Epoch], classes: Sequence[SegmentationClass], paper: Paper) -> Any:
    figure, ((losses, ious), (rates, times)) = plt.subplots(
        2,
        2,
        figsize=(11, 7.2),
        height_ratios=(1.5, 1),
        layout=ConstrainedLayoutEngine(hspace=0.06),
        facecolor=paper.background,
    )
    _draw_losses(losses, epochs)
    _draw_ious(ious, epochs, classes, paper)
    _draw_rates(rates, epochs)
    _draw_times(times, epochs)
    for axes in (losses, ious, rates, times):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        lay_on(axes, paper)
    for axes in (losses, ious, times):
        axes.legend(frameon=False, fontsize=9, labelcolor=paper.ink)
    return figure


def _draw_losses(axes: Any, epochs: Sequence[Epoch]) -> None:
    numbers, style = _numbers(epochs), {"lw": 1.8, "marker": _marker(epochs)}
    losses, val_losses = [epoch.loss for epoch in epochs], [epoch.val_loss for epoch in epochs]
    axes.plot(numbers, losses, color=_BLUE, label="training", **style)
    axes.plot(numbers, val_losses, color=_ORANGE, label="validation: cross-entropy, nats per pixel", **style)
    axes.set_title("Loss")


def _draw_ious(axes: Any, epochs: Sequence[Epoch], classes: Sequence[SegmentationClass], paper: Paper) -> None:
    """Draw every class, and name as many as a legend has room for: the worst."""
    numbers, best = _numbers(epochs), best_epoch(epochs)
    named = best.worst_classes(MOST_NAMED_CLASSES)
    for item in classes:
        label = {"label": item.name, "color": _colour(item, paper)} if item.id in named else {"color": paper.line}
        ious = [epoch.scores.iou[item.id] for epoch in epochs]
        axes.plot(numbers, ious, lw=1.4, marker=_marker(epochs), zorder=2 + (item.id in named), **label)
    means = [epoch.scores.miou for epoch in epochs]
    axes.plot(numbers, means, color=paper.ink, lw=2.6, marker=_marker(epochs), label="mean", zorder=4)
    axes.plot([best.number], [best.scores.miou], "o", ms=9, mfc="none", mec=_ORANGE, mew=2, zorder=5)
    rest = f" (named: the {len(named)} worst)" if len(named) < len(classes) else ""
    axes.set(title=f"Validation IoU at full image resolution{rest}", ylim=(0, 1))


def _draw_rates(axes: Any, epochs: Sequence[Epoch]) -> None:
    rates = [epoch.learning_rate for epoch in epochs]
    axes.plot(_numbers(epochs), rates, color=_BLUE, lw=1.8, marker=_marker(epochs))
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    axes.set_ylim(bottom=0)
    axes.set_title("Learning rate of the decoder")


def _draw_times(axes: Any, epochs: Sequence[Epoch]) -> None:
    waiting = np.nan_to_num([epoch.waiting_seconds for epoch in epochs])
    working = np.array([epoch.seconds for epoch in epochs]) - waiting
    axes.bar(_numbers(epochs), working, color=_BLUE, label="learning and validating")
    axes.bar(_numbers(epochs), waiting, bottom=working, color=_ORANGE, label="waiting for pictures")
    axes.margins(y=0.35)  # room for the legend
    axes.set_title("Seconds per epoch")


def _colour(item: SegmentationClass, paper: Paper) -> str:
    return paper.soft if item.is_background else item.colour


def _numbers(epochs: Sequence[Epoch]) -> list[int]:
    return [epoch.number for epoch in epochs]


def _marker(epochs: Sequence[Epoch]) -> str:
    return "o" if len(epochs) < 3 else ""
