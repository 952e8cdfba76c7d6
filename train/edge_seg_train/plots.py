"""Pictures of a run: curves and sample predictions."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from edge_seg.classes import SegmentationClass
from edge_seg.contact_sheet import contact_sheet
from edge_seg.drawing import draw_overlay
from edge_seg.files import atomic_path
from edge_seg.images import ClassMap, RgbImage, write_image
from edge_seg_train.history import Epoch, best_epoch

TILE_WIDTH = 320
_INK, _ACCENT, _SOFT = "#22303c", "#0072B2", "#c9d3dc"


def draw_curves(epochs: Sequence[Epoch], class_names: Sequence[str], path: Path) -> None:
    """Draw loss and validation IoU over the epochs; the best epoch is marked."""
    numbers, best = [epoch.number for epoch in epochs], best_epoch(epochs)
    figure, (losses, ious) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    losses.plot(numbers, [epoch.loss for epoch in epochs], color=_ACCENT, marker=_marker(epochs), label="training")
    losses.plot(
        numbers, [epoch.val_loss for epoch in epochs], color="#D55E00", marker=_marker(epochs), label="validation"
    )
    losses.set(title="Loss", xlabel="epoch", ylabel="cross-entropy, nats per pixel")
    for index, name in enumerate(class_names):
        ious.plot(numbers, [epoch.scores.iou[index] for epoch in epochs], lw=1, alpha=0.75, label=name)
    ious.plot(
        numbers, [epoch.scores.miou for epoch in epochs], color=_INK, lw=2.4, marker=_marker(epochs), label="mean"
    )
    ious.plot([best.number], [best.scores.miou], "o", ms=9, mfc="none", mec="#D55E00", mew=2)
    ious.annotate(
        f"best {best.scores.miou:.3f}",
        (best.number, best.scores.miou),
        (0, -20),
        textcoords="offset points",
        ha="center",
    )
    ious.set(title="Validation IoU at full image resolution", xlabel="epoch", ylabel="IoU", ylim=(0, 1))
    for axes in (losses, ious):
        _tidy(axes)
    save_figure(figure, path)


def draw_samples(
    examples: Sequence[tuple[RgbImage, ClassMap, ClassMap]], classes: Sequence[SegmentationClass], path: Path
) -> None:
    """Write rows of photograph, truth and prediction."""
    tiles: list[RgbImage] = []
    for image, truth, prediction in examples:
        tiles += [image, draw_overlay(image, truth, classes), draw_overlay(image, prediction, classes)]
    captions = ["photograph", "truth", "prediction"] * len(examples)
    write_image(path, contact_sheet(tiles, 3, TILE_WIDTH, captions=captions, legend=classes))


def _marker(epochs: Sequence[Epoch]) -> str:
    return "o" if len(epochs) < 3 else ""


def _tidy(axes: Any) -> None:
    axes.grid(color=_SOFT, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(frameon=False, fontsize=9)


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as PNG and close it."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
