"""What a conversion gave, as values and in plain JSON types."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.inspection import DelegateCoverage
from edge_seg.metrics import Scores
from edge_seg.model_info import ModelInfo, Precision
from edge_seg_convert.int8_layers import MixedModel
from edge_seg_convert.layer_errors import LayerError
from edge_seg_convert.onnx_model import OnnxModel
from edge_seg_convert.verification import Verified

FLOAT: Precision = "float32"
_OF_THE_NETWORK = {"name", "classes", "input_height", "input_width", "output", "data", "source", "training", "versions"}


@dataclass(frozen=True)
class Converted:
    """One model that was made: where it is, its size and what it gave."""

    precision: Precision
    path: Path | None
    """None when it was held back."""
    size_bytes: int
    latency_ms: float
    """Median of one inference on this machine, one thread."""
    slowdown: float
    """Its latency over that of the float32 model, measured in turns."""
    verified: Verified | None
    """None without a data set."""
    coverage: DelegateCoverage
    """How much of it XNNPACK runs here."""
    obstacle: str | None = None
    """Why it was held back, or would have been without --force."""
    mixed: MixedModel | None = None
    """Which layers of int8 are in float, and what they cost, when it would miss the target otherwise."""
    target_drop: float | None = None
    """The loss that was wanted."""

    @property
    def drop(self) -> float:
        """Keras's mIoU minus this model's, on the same pictures; 0 when it was not measured."""
        return self.verified.drop if self.verified else 0.0

    @property
    def misses_target(self) -> bool:
        """Whether it loses more than was wanted."""
        return self.target_drop is not None and self.drop > self.target_drop


@dataclass(frozen=True)
class ConversionResult:
    """The network, Keras's own figures and every model made from it."""

    network: ModelInfo
    """What all the models have in common."""
    keras: Verified | None
    models: tuple[Converted, ...]
    layers: tuple[LayerError, ...] = ()
    """int8's layers, the one that hurts most first, when they were asked for."""
    onnx: OnnxModel | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, by id."""
        return tuple(item.name for item in self.network.classes)

    @property
    def held_back(self) -> tuple[Converted, ...]:
        """Models that were not written."""
        return tuple(model for model in self.models if model.path is None)


def metrics(verified: Verified, class_names: Sequence[str]) -> dict[str, float]:
    """Name what a model gave, without figures that are undefined."""
    figures = {
        **_figures(verified.scores, class_names),
        "keras_miou": verified.keras_scores.miou,
        "agreement_with_keras": verified.agreement,
        "pictures": float(verified.pictures),
    }
    return _rounded(figures)


def float_metrics(verified: Verified, class_names: Sequence[str]) -> dict[str, float]:
    """Name what Keras gave on the same pictures."""
    return _rounded(_figures(verified.keras_scores, class_names))


def _figures(scores: Scores, class_names: Sequence[str]) -> dict[str, float]:
    of_classes = {f"iou_{name}": value for name, value in zip(class_names, scores.iou, strict=True)}
    return {"miou": scores.miou, "pixel_accuracy": scores.pixel_accuracy, **of_classes}


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in figures.items() if not math.isnan(value)}


def summary(result: ConversionResult) -> dict[str, object]:
    """Say a conversion in plain JSON types, for conversion.json and --json."""
    return {
        "network": result.network.model_dump(mode="json", include=_OF_THE_NETWORK),
        "keras_miou": round(result.keras.scores.miou, 5) if result.keras else None,
        "models": [_model_summary(model, result.class_names) for model in result.models],
        **({"onnx": result.onnx.summary()} if result.onnx else {}),
    }


def _model_summary(model: Converted, class_names: Sequence[str]) -> dict[str, object]:
    return {
        "precision": model.precision,
        "file": model.path.name if model.path else None,
        "size_bytes": model.size_bytes,
        "latency_ms": round(model.latency_ms, 4),
        "times_float32": round(model.slowdown, 3),
        "delegate_partitions": model.coverage.partitions,
        "delegate_left_out": model.coverage.left_out,
        **({"drop": round(model.drop, 5), **metrics(model.verified, class_names)} if model.verified else {}),
        **({} if model.target_drop is None else {"target_drop": model.target_drop}),
        **(_mixed_summary(model.mixed) if model.mixed else {}),
        **({"obstacle": model.obstacle} if model.obstacle else {}),
    }


def _mixed_summary(mixed: MixedModel) -> dict[str, object]:
    return {
        "float_layers": [
            {"layer": layer.name, "operation": layer.operation, "cost_ms": round(layer.cost_ms, 4)}
            for layer in mixed.float_layers
        ],
        "drop_without_float_layers": round(mixed.int8_drop, 5),
        "latency_ms_without_float_layers": round(mixed.int8_latency_ms, 4),
    }
