"""A picture of the network: the encoder goes down on the left, the decoder comes up on the right."""

from pathlib import Path
from typing import Any

import keras
from matplotlib import pyplot as plt

from edge_seg_train.plots import save_figure

_STEP_X = 0.62
_GAP_X = 0.9
_COLOURS = {"input": "#CC79A7", "encoder": "#0072B2", "decoder": "#009E73", "output": "#B9770E"}
_ARROW = "#b4c0ca"

Point = tuple[float, float]


def draw_network(model: keras.Model, path: Path) -> None:
    """Draw every level of the U with its shape (height × width × channels), and the skips across."""
    down, up = _shapes(model)
    left = [(index * _STEP_X, float(len(down) - 1 - index)) for index in range(len(down))]
    width = 2 * left[-1][0] + _GAP_X
    right = [(width - x, y) for x, y in reversed(left[:-1])]
    figure, axes = plt.subplots(figsize=(11, 5.6), layout="constrained")
    for start, end in zip([*left, *right], [*left[1:], *right], strict=False):
        _arrow(axes, start, end)
    for start, end in zip(left[1:-1], reversed(right[:-1]), strict=True):
        _arrow(axes, start, end, dashed=True)
    for (name, shape, kind), place in zip([*down, *up], [*left, *right], strict=True):
        _box(axes, place, name, shape, _COLOURS[kind])
    axes.set(xlim=(-0.5, width + 0.5), ylim=(-0.5, len(down) - 0.5))
    axes.axis("off")
    axes.set_title(f"U-Net with MobileNetV2 encoder: {model.count_params() / 1e6:.2f} M parameters")
    save_figure(figure, path)


Level = tuple[str, tuple[int, ...], str]


def _shapes(model: keras.Model) -> tuple[list[Level], list[Level]]:
    """Return (name, shape, kind) of the levels going down and coming up."""
    outputs = model.get_layer("encoder").outputs
    encoder = [(f"encoder 1/{2 ** (level + 1)}", tuple(x.shape[1:]), "encoder") for level, x in enumerate(outputs)]
    joins = [model.get_layer(f"join_{level}").output for level in range(1, len(outputs))]
    decoder = [("upsample + skip", tuple(x.shape[1:]), "decoder") for x in joins]
    down = [("image", tuple(model.input.shape[1:]), "input"), *encoder]
    return down, [*decoder, ("class scores", tuple(model.output.shape[1:]), "output")]


def _box(axes: Any, place: Point, name: str, shape: tuple[int, ...], colour: str) -> None:
    text = f"{name}\n{' × '.join(str(size) for size in shape)}"
    style = {"boxstyle": "round,pad=0.5", "fc": colour, "ec": "white", "lw": 2}
    axes.text(*place, text, ha="center", va="center", fontsize=9, color="white", bbox=style, zorder=3)


def _arrow(axes: Any, start: Point, end: Point, *, dashed: bool = False) -> None:
    style = {"arrowstyle": "-|>", "color": _ARROW, "lw": 2, "ls": "--" if dashed else "-"}
    shrink = {"shrinkA": 48, "shrinkB": 58} if dashed else {"shrinkA": 20, "shrinkB": 24}
    axes.annotate("", end, start, arrowprops={**style, **shrink}, zorder=1)
