"""Pictures of a run: curves, sample predictions, the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt  # noqa: E402 - the backend is chosen first

from edge_seg.classes import SegmentationClass  # noqa: E402
from edge_seg.contact_sheet import contact_sheet  # noqa: E402
from edge_seg.drawing import draw_overlay  # noqa: E402
from edge_seg.files import atomic_path  # noqa: E402
from edge_seg.images import ClassMap, RgbImage, write_image  # noqa: E402
from edge_seg_train.history import Epoch, best_epoch  # noqa: E402

TILE_WIDTH = 320
_INK, _ACCENT, _SOFT = "#22303c", "#0072B2", "#c9d3dc"


def draw_curves(epochs: Sequence[Epoch], class_names: Sequence[str], path: Path) -> None:
    """Draw loss and validation IoU over the epochs; the best epoch is marked."""
    numbers, best = [epoch.number for epoch in epochs], best_epoch(epochs)
    figure, (losses, ious) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    losses.plot(numbers, [epoch.loss for epoch in epochs], color=_ACCENT, marker=_marker(epochs), label="training")
    losses.plot(numbers, [epoch.val_loss for epoch in epochs], color="#D55E00", marker=_marker(epochs), label="validation")
    losses.set(title="Loss", xlabel="epoch", ylabel="cross-entropy, nats per pixel")
    for index, name in enumerate(class_names):
        ious.plot(numbers, [epoch.scores.iou[index] for epoch in epochs], lw=1, alpha=0.75, label=name)
    ious.plot(numbers, [epoch.scores.miou for epoch in epochs], color=_INK, lw=2.4, marker=_marker(epochs), label="mean")
    ious.plot([best.number], [best.scores.miou], "o", ms=9, mfc="none", mec="#D55E00", mew=2)
    ious.annotate(
        f"best {best.scores.miou:.3f}", (best.number, best.scores.miou), (0, -20), textcoords="offset points", ha="center"
    )
    ious.set(title="Validation IoU at full image resolution", xlabel="epoch", ylabel="IoU", ylim=(0, 1))
    for axes in (losses, ious):
        _tidy(axes)
    _save(figure, path)


def draw_samples(
    examples: Sequence[tuple[RgbImage, ClassMap, ClassMap]], classes: Sequence[SegmentationClass], path: Path
) -> None:
    """Write rows of photograph, truth and prediction."""
    tiles: list[RgbImage] = []
    for image, truth, prediction in examples:
        tiles += [image, draw_overlay(image, truth, classes), draw_overlay(image, prediction, classes)]
    captions = ["photograph", "truth", "prediction"] * len(examples)
    write_image(path, contact_sheet(tiles, 3, TILE_WIDTH, captions=captions, legend=classes))


def draw_network(model: keras.Model, path: Path) -> None:
    """Draw the U: encoder going down on the left, decoder coming up on the right, skips across."""
    encoder = model.get_layer("encoder")
    skips = [tuple(output.shape[1:]) for output in encoder.outputs]
    joins = [tuple(model.get_layer(f"join_{level}").output.shape[1:]) for level in range(1, len(skips))]
    figure, axes = plt.subplots(figsize=(11, 6), layout="constrained")
    depth = len(skips)
    _box(axes, 0, depth, "input", tuple(model.input.shape[1:]), "#CC79A7")
    for level, shape in enumerate(skips):
        _box(axes, 1 + level * 0.55, depth - 1 - level, _encoder_name(level), shape, _ACCENT)
    right = 1 + 2 * (depth - 1) * 0.55 + 1
    for level, shape in enumerate(joins):
        row = level + 1
        _box(axes, right - (depth - 1 - row) * 0.55 - 1, row, f"decoder {row}: upsample + skip", shape, "#009E73")
        _skip_arrow(axes, 1 + (depth - 1 - row) * 0.55, right - (depth - 1 - row) * 0.55 - 1, row)
    _box(axes, right, depth, "class scores", tuple(model.output.shape[1:]), "#E69F00")
    axes.set(xlim=(-0.7, right + 0.7), ylim=(-0.6, depth + 0.6))
    axes.axis("off")
    axes.set_title(f"U-Net with MobileNetV2 encoder, {model.count_params() / 1e6:.2f} M parameters", color=_INK)
    _save(figure, path)


def _encoder_name(level: int) -> str:
    return f"encoder 1/{2 ** (level + 1)}"


def _box(axes: Any, x: float, y: float, title: str, shape: tuple[int, ...], colour: str) -> None:
    text = f"{title}\n{' × '.join(str(size) for size in shape)}"
    style = {"boxstyle": "round,pad=0.45", "fc": colour, "ec": "none", "alpha": 0.9}
    axes.text(x, y, text, ha="center", va="center", fontsize=8.5, color="white", bbox=style, zorder=3)


def _skip_arrow(axes: Any, start: float, end: float, y: float) -> None:
    arrow = {"arrowstyle": "-|>", "color": _SOFT, "lw": 2, "shrinkA": 42, "shrinkB": 62}
    axes.annotate("", (end, y), (start, y), arrowprops=arrow, zorder=1)


def _marker(epochs: Sequence[Epoch]) -> str:
    return "o" if len(epochs) < 3 else ""


def _tidy(axes: Any) -> None:
    axes.grid(color=_SOFT, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)


def _save(figure: Any, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110)
    plt.close(figure)
