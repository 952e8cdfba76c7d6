"""The layers of one int8 model: which hurt, and which to keep in float at what price."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.images import RgbImage
from edge_seg_convert.latency import interleaved_medians_ms
from edge_seg_convert.layer_errors import LayerError, rank_layers
from edge_seg_convert.layers import Layer, layers_of
from edge_seg_convert.mixed_precision import LayerSet, fewest_float_layers, float_groups
from edge_seg_convert.quantisation import Calibrated, integer_model
from edge_seg_convert.verification import Verified

RANKING_IMAGES = 16
"""Noise is summed over every pixel of every score: few pictures settle the order."""

MOST_FLOAT_LAYERS, MOST_FLOAT_SHARE = 16, 0.5
"""A model with more layers in float than this is int8 by name only."""


@dataclass(frozen=True)
class FloatLayer:
    """A layer kept in float, and what it costs."""

    name: str
    operation: str
    cost_ms: float
    """Latency of the model minus that of the same model with this layer in int8, too; see latency.py."""


@dataclass(frozen=True)
class MixedModel:
    """An int8 model with some layers in float."""

    model: bytes
    verified: Verified
    int8_drop: float
    """What the model with every layer in int8 loses."""
    float_layers: tuple[FloatLayer, ...]
    latency_ms: float
    int8_latency_ms: float
    """Of the model with every layer in int8."""


@dataclass(frozen=True)
class Int8Layers:
    """Makes int8 models of one float graph with chosen layers in float."""

    calibrated: Calibrated
    images: Sequence[RgbImage]
    """Calibration images [height, width, 3] uint8 at network size."""
    work: Path
    """Folder for temporary models."""

    @property
    def count(self) -> int:
        """How many layers there are."""
        return len(layers_of(self.calibrated.core))

    def ranking(self, on_layer: Callable[[], None]) -> tuple[LayerError, ...]:
        """Return all layers, the one that hurts most first; `on_layer` is called after each."""
        images = self.images[:RANKING_IMAGES]
        return rank_layers(self.calibrated, integer_model(self.calibrated), images, self.work, on_layer)

    def within(
        self,
        target_drop: float,
        ranking: Sequence[LayerError],
        int8: Verified,
        verify: Callable[[bytes], Verified],
    ) -> MixedModel:
        """Keep as few layers in float as bring the loss of mIoU down to `target_drop`, a share.

        Args:
            target_drop: the loss that is wanted.
            ranking: what `ranking` returned.
            int8: what the model gave with every layer in int8.
            verify: runs a model on the validation split.

        Returns:
            The model that fits or, when none was found, the one that lost least.
        """
        verified: dict[LayerSet, Verified] = {frozenset(): int8}

        def drop_with(float_layers: LayerSet) -> float:
            if float_layers not in verified:
                verified[float_layers] = verify(self._model(float_layers))
            return verified[float_layers].drop

        groups = float_groups([error.layer for error in ranking])
        most = min(MOST_FLOAT_LAYERS, int(MOST_FLOAT_SHARE * self.count))
        chosen = fewest_float_layers(groups, drop_with, target_drop, most)
        return self._measured(chosen.float_layers, verified[chosen.float_layers], int8)

    def _model(self, float_layers: LayerSet) -> bytes:
        layers = layers_of(self.calibrated.core)
        return integer_model(self.calibrated, [layers[index].scope for index in sorted(float_layers)])

    def _measured(self, float_layers: LayerSet, verified: Verified, int8: Verified) -> MixedModel:
        layers = [layer for layer in layers_of(self.calibrated.core) if layer.index in float_layers]
        variants = {"mixed": float_layers, "int8": frozenset[int]()}
        variants |= {str(layer.index): float_layers - {layer.index} for layer in layers}
        medians_ms = interleaved_medians_ms({name: self._write(name, variant) for name, variant in variants.items()})
        return MixedModel(
            model=self._model(float_layers),
            verified=verified,
            int8_drop=int8.drop,
            float_layers=tuple(_float_layer(layer, medians_ms) for layer in layers),
            latency_ms=medians_ms["mixed"],
            int8_latency_ms=medians_ms["int8"],
        )

    def _write(self, name: str, float_layers: LayerSet) -> Path:
        path = self.work / f"variant_{name}.tflite"
        path.write_bytes(self._model(float_layers))
        return path


def _float_layer(layer: Layer, medians_ms: dict[str, float]) -> FloatLayer:
    return FloatLayer(layer.name, layer.operation, medians_ms["mixed"] - medians_ms[str(layer.index)])
