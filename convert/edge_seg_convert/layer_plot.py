"""What hurts in int8, as a picture (matplotlib)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from edge_seg.files import atomic_path
from edge_seg_convert.layer_errors import LayerError

_BARS = 15
_NAMED_DOTS = 5
# Okabe & Ito (2008), distinguishable with every kind of colour blindness.
_LOUD, _QUIET = "#D55E00", "#56B4E9"
_INK, _SOFT, _LINE = "#22303c", "#64748b", "#dbe3ea"
_LOUD_SHARE = 0.1
_MOST_DB = 120.0


def write_plot(path: Path, ranking: Sequence[LayerError], model_name: str) -> None:
    """Draw the layers that hurt most as bars, and all layers in the order of the network as dots."""
    worst = ranking[:_BARS]
    figure: Any = Figure(figsize=(13, max(4.2, 2 + 0.24 * len(worst))), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{model_name}: what int8 does, layer by layer", x=0.012, ha="left", fontsize=14, color=_INK)
    bars, dots = figure.subplots(1, 2, width_ratios=(1, 1.25))
    _draw_bars(bars, worst)
    _draw_dots(dots, ranking)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120)


def _draw_bars(axes: Any, worst: Sequence[LayerError]) -> None:
    shares = [100 * error.noise_share for error in worst]
    axes.barh(range(len(worst)), shares, color=[_colour(error) for error in worst], height=0.72)
    for row, (share, error) in enumerate(zip(shares, worst, strict=True)):
        words = f"{share:.1f} %; changes {100 * error.changed_pixels:.2f} % of the pixels"
        axes.annotate(words, (share, row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=_INK)
    axes.set_yticks(range(len(worst)), [error.layer.name for error in worst])
    axes.set_ylim(len(worst) - 0.4, -0.6)
    axes.set_xlim(0, 1.75 * max([*shares, 1e-9]))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 100])
    _style(axes, "The layers that hurt most", "share of the noise that all layers add to the scores, in %")
    axes.spines["left"].set_visible(False)


def _draw_dots(axes: Any, ranking: Sequence[LayerError]) -> None:
    positions = [error.layer.index for error in ranking]
    heights = np.clip([error.scores_sqnr_db for error in ranking], -_MOST_DB, _MOST_DB)
    axes.vlines(positions, heights, max(heights), color=_LINE, linewidth=1, zorder=1)
    axes.scatter(positions, heights, s=26, color=[_colour(error) for error in ranking], zorder=2)
    for position, height, error in list(zip(positions, heights, ranking, strict=True))[:_NAMED_DOTS]:
        is_late = position > 0.6 * max(positions)
        axes.annotate(
            error.layer.name,
            (position, height),
            (-6 if is_late else 6, 0),
            textcoords="offset points",
            ha="right" if is_late else "left",
            va="center",
            fontsize=8,
            color=_INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            zorder=1.5,
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("SQNR of the scores in dB (lower hurts more)", fontsize=9, color=_SOFT)
    _style(axes, "Each layer quantised alone, in the order of the network", "position in the network")


def _colour(error: LayerError) -> str:
    return _LOUD if error.noise_share >= _LOUD_SHARE else _QUIET


def _style(axes: Any, title: str, label: str) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, color=_INK)
    axes.set_xlabel(label, fontsize=9, color=_SOFT)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[:].set_color(_LINE)
    axes.tick_params(labelsize=8.5, length=0, colors=_INK)
