"""What hurts in int8, for people and programs: a table, a picture and a JSON file."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from edge_seg.files import atomic_path, write_text
from edge_seg_convert.int8_layers import MixedModel
from edge_seg_convert.layer_errors import LayerError

TABLE_ROWS = 10
_BARS = 15
_NAMED_DOTS = 5
# Okabe & Ito (2008), distinguishable with every kind of colour blindness.
_LOUD, _QUIET = "#D55E00", "#56B4E9"
_INK, _SOFT, _LINE = "#22303c", "#64748b", "#dbe3ea"
_LOUD_SHARE = 0.1
_MOST_DB = 120.0


def layers_table(ranking: Sequence[LayerError]) -> Table:
    """Tabulate the layers that hurt most."""
    title = f"int8: the {min(TABLE_ROWS, len(ranking))} of {len(ranking)} layers that hurt most, each quantised alone"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("layer", overflow="fold")
    table.add_column("operation", overflow="fold")
    for heading in ("noise", "scores", "own", "pixels", "spread"):
        table.add_column(heading, justify="right")
    for error in ranking[:TABLE_ROWS]:
        table.add_row(
            error.layer.name,
            _operation(error.layer.operation),
            f"{100 * error.noise_share:.1f} %",
            _decibels(error.scores_sqnr_db),
            _decibels(error.sqnr_db),
            f"{100 * error.changed_pixels:.2f} %",
            f"{error.channel_spread:.3g} ×",
        )
    table.caption = (
        "noise: share of what all layers add to the scores; scores, own: signal-to-quantisation-noise ratio of the "
        "network's output and of the layer's; pixels: that change class; spread: widest channel over median"
    )
    table.caption_justify = "left"
    return table


def float_layers_words(mixed: MixedModel) -> str:
    """Say what the layers in float are good for, and what they cost together."""
    count = len(mixed.float_layers)
    return (
        f"int8 with {count} layer{'' if count == 1 else 's'} in float: loses {100 * mixed.verified.drop:.2f} points "
        f"instead of {100 * mixed.int8_drop:.2f}, takes {mixed.latency_ms:.2f} ms on one thread here instead of "
        f"{mixed.int8_latency_ms:.2f} ms"
    )


def float_layers_table(mixed: MixedModel) -> Table:
    """Tabulate the layers in float with what each costs."""
    table = Table(box=None, pad_edge=False)
    table.add_column("in float", overflow="fold")
    table.add_column("operation", overflow="fold")
    table.add_column("costs", justify="right")
    for layer in mixed.float_layers:
        table.add_row(layer.name, _operation(layer.operation), f"{layer.cost_ms:+.2f} ms")
    return table


def write_json(path: Path, ranking: Sequence[LayerError]) -> None:
    """Write the whole ranking."""
    write_text(path, json.dumps({"layers": [_as_dict(error) for error in ranking]}, indent=2) + "\n")


def _as_dict(error: LayerError) -> dict[str, object]:
    return {
        "layer": error.layer.name,
        "operation": error.layer.operation,
        "position": error.layer.index,
        "noise_share": _rounded(error.noise_share),
        "scores_sqnr_db": _rounded(error.scores_sqnr_db),
        "sqnr_db": _rounded(error.sqnr_db),
        "rmse_share": _rounded(error.rmse_share),
        "changed_pixels": _rounded(error.changed_pixels),
        "channel_spread": _rounded(error.channel_spread),
    }


def _rounded(value: float) -> float | None:
    """Return what JSON can say: None stands for an infinite ratio, that is no noise."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _operation(name: str) -> str:
    return name.lower().removesuffix("_2d")


def _decibels(value: float) -> str:
    return f"{value:.1f} dB" if math.isfinite(value) else "exact"


def write_plot(path: Path, ranking: Sequence[LayerError], model_name: str) -> None:
    """Draw the layers that hurt most as bars, and all layers in the order of the network as dots."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(13, 5.6), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{model_name}: what int8 does, layer by layer", x=0.012, ha="left", fontsize=14, color=_INK)
    bars, dots = figure.subplots(1, 2, width_ratios=(1, 1.25))
    _draw_bars(bars, ranking[:_BARS])
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
    axes.set_xlim(0, 1.6 * max([*shares, 1e-9]))
    axes.set_xticks([tick for tick in axes.get_xticks() if tick <= 100])
    _style(axes, "The layers that hurt most", "share of the noise that all layers add to the scores, in %")
    axes.spines["left"].set_visible(False)


def _draw_dots(axes: Any, ranking: Sequence[LayerError]) -> None:
    positions = [error.layer.index for error in ranking]
    heights = [min(error.scores_sqnr_db, _MOST_DB) for error in ranking]
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
            zorder=3,
        )
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
