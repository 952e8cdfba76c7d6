"""What hurts in int8, for people and programs: a table and a JSON file."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from edge_seg.files import write_text
from edge_seg_convert.int8_layers import MixedModel
from edge_seg_convert.layer_errors import LayerError

TABLE_ROWS = 10


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
