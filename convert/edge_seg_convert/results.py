"""What a conversion gave, as values and in plain JSON types."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.model_info import Precision
from edge_seg_convert.int8_layers import MixedModel
from edge_seg_convert.layer_errors import LayerError
from edge_seg_convert.verification import Verified


@dataclass(frozen=True)
class Converted:
    """One model that was made: where it is (None when the gate held it back), its size and what it gave."""

    precision: Precision
    path: Path | None
    size_bytes: int
    verified: Verified
    mixed: MixedModel | None = None
    """Which layers of int8 are in float, and what they cost, when it would miss the target otherwise."""
    target_drop: float | None = None
    """The loss that was wanted."""

    @property
    def drop(self) -> float:
        """Keras's mIoU minus this model's, on the same pictures."""
        return self.verified.drop

    @property
    def misses_target(self) -> bool:
        """Whether it loses more than was wanted."""
        return self.target_drop is not None and self.drop > self.target_drop


@dataclass(frozen=True)
class ConversionResult:
    """Keras's own figures and every model made from it."""

    keras: Verified
    models: tuple[Converted, ...]
    layers: tuple[LayerError, ...] = ()
    """int8's layers, the one that hurts most first, when they were asked for."""

    @property
    def held_back(self) -> tuple[Converted, ...]:
        """Models that lost too much and were not written."""
        return tuple(model for model in self.models if model.path is None)


def metrics(verified: Verified, class_names: Sequence[str]) -> dict[str, float]:
    """Name what a model gave, without figures that are undefined."""
    figures = {
        "miou": verified.scores.miou,
        "pixel_accuracy": verified.scores.pixel_accuracy,
        **{f"iou_{name}": value for name, value in zip(class_names, verified.scores.iou, strict=True)},
        "keras_miou": verified.keras_scores.miou,
        "agreement_with_keras": verified.agreement,
        "pictures": float(verified.pictures),
    }
    return {name: round(value, 5) for name, value in figures.items() if not math.isnan(value)}


def summary(result: ConversionResult, class_names: Sequence[str]) -> dict[str, object]:
    """Say a conversion in plain JSON types, for conversion.json and --json."""
    return {
        "keras_miou": round(result.keras.scores.miou, 5),
        "models": [
            {
                "precision": model.precision,
                "file": model.path.name if model.path else None,
                "size_bytes": model.size_bytes,
                "drop": round(model.drop, 5),
                **metrics(model.verified, class_names),
                **({} if model.target_drop is None else {"target_drop": model.target_drop}),
                **(_mixed_summary(model.mixed) if model.mixed else {}),
            }
            for model in result.models
        ],
    }


def _mixed_summary(mixed: MixedModel) -> dict[str, object]:
    return {
        "float_layers": [
            {"layer": layer.name, "operation": layer.operation, "cost_ms": round(layer.cost_ms, 4)}
            for layer in mixed.float_layers
        ],
        "latency_ms": round(mixed.latency_ms, 4),
        "drop_without_float_layers": round(mixed.int8_drop, 5),
        "latency_ms_without_float_layers": round(mixed.int8_latency_ms, 4),
    }
