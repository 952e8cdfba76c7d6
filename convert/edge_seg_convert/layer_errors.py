"""Which layers int8 hurts: every layer quantised alone, ranked by the noise it adds to the network's scores.

Three measures suggest themselves, and two miss the layer that hurts:

- The error of every tensor of the int8 model against float adds up along the graph: it accuses the last layers of
  what an early one did.
- The error of a layer's own output (float in, this layer quantised) against the power of that output is blind to the
  commonest fault, one channel much wider than the others: the wide channel stretches the range that all channels
  share and drowns the others, but it is itself the signal, and well kept. TensorFlow's measure RMSE / scale
  (https://www.tensorflow.org/lite/performance/quantization_debugger) is blind to it for the same reason.
- The noise in the network's scores when this layer alone is quantised and everything else is float. It weighs every
  channel by what the rest of the network makes of it, and charges each layer for itself alone. This one ranks.

It is the analysis of single layers of Wu et al. 2020 (https://arxiv.org/abs/2004.09602, 5.1) and of the debugging
workflow of Nagel et al. 2021 (https://arxiv.org/abs/2106.08295, 3.6). The others are reported beside it.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_seg.images import RgbImage
from edge_seg.runtimes import MOST_THREADS, load_engine
from edge_seg_convert.fake_quantisation import quantised_layers, with_quantised_layer
from edge_seg_convert.layers import Layer, layers_of
from edge_seg_convert.quantisation import Calibrated, scaled


@dataclass(frozen=True)
class LayerError:
    """What quantising one layer, and nothing else, does."""

    layer: Layer
    sqnr_db: float
    """Signal-to-quantisation-noise ratio of the layer's own output."""
    rmse_share: float
    """Root mean square error of the layer's output over the range of its values."""
    channel_spread: float
    """Largest magnitude in the layer's widest channel over that in its median channel."""
    scores_sqnr_db: float
    """Signal-to-quantisation-noise ratio of the network's scores: the lower, the more the layer hurts."""
    noise_share: float
    """Share of the noise that all layers, each alone, add to the scores."""
    changed_pixels: float
    """Share of the pixels, at network size, that get another class."""


def rank_layers(
    calibrated: Calibrated,
    int8_model: bytes,
    images: Sequence[RgbImage],
    work: Path,
    on_layer: Callable[[], None] = lambda: None,
) -> tuple[LayerError, ...]:
    """Measure every quantised layer on `images`, the one that hurts most first.

    Args:
        calibrated: the float graph.
        int8_model: what quantisation.integer_model made of it.
        images: [height, width, 3] uint8 at network size.
        work: folder for temporary models.
        on_layer: called after each layer.
    """
    inputs = [scaled(image, calibrated.scaling) for image in images]
    reference = [outputs[0] for outputs in _run(calibrated.core, inputs, work)]
    quantised = quantised_layers(calibrated.core, int8_model)
    tallies: dict[Layer, _Tally] = {}
    for layer in layers_of(calibrated.core):
        if layer.index in quantised:
            model = with_quantised_layer(calibrated.core, int8_model, layer.index)
            tallies[layer] = _tally(reference, _run(model, inputs, work))
        on_layer()
    noise = sum(tally.scores.noise for tally in tallies.values())
    errors = [_error(layer, tally, noise) for layer, tally in tallies.items()]
    return tuple(sorted(errors, key=lambda error: -error.noise_share))


def _run(model: bytes, inputs: Sequence[np.ndarray], work: Path) -> Iterator[list[np.ndarray]]:
    """Yield the outputs for each input, one after the other."""
    path = work / "layer.tflite"
    path.write_bytes(model)
    engine = load_engine(path, threads=min(os.cpu_count() or 1, MOST_THREADS))
    for tensor in inputs:
        engine.set_input(tensor)
        engine.invoke()
        yield [engine.output(index) for index in range(len(engine.outputs))]


@dataclass
class Noise:
    """Power of a signal and of what quantisation adds to it, summed over several pictures."""

    signal: float = 0.0
    noise: float = 0.0
    values: int = 0

    def add(self, exact: np.ndarray, rough: np.ndarray) -> None:
        """Add one picture: the same tensor in float and after quantisation."""
        self.signal += float(np.square(exact, dtype=np.float64).sum())
        self.noise += float(np.square(exact - rough, dtype=np.float64).sum())
        self.values += exact.size

    @property
    def sqnr_db(self) -> float:
        """Signal-to-quantisation-noise ratio in dB; infinite without noise."""
        if not self.noise:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf

    @property
    def rmse(self) -> float:
        """Root mean square error."""
        return math.sqrt(self.noise / self.values)


@dataclass
class _Tally:
    scores: Noise = field(default_factory=Noise)
    own: Noise = field(default_factory=Noise)
    changed: int = 0
    pixels: int = 0
    low: float = math.inf
    high: float = -math.inf
    widths: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def add(self, reference: np.ndarray, scores: np.ndarray, exact: np.ndarray, rough: np.ndarray) -> None:
        self.scores.add(_differences(reference), _differences(scores))
        self.own.add(exact, rough)
        self.changed += int(np.count_nonzero(reference.argmax(-1) != scores.argmax(-1)))
        self.pixels += reference[..., 0].size
        self.low, self.high = min(self.low, float(exact.min())), max(self.high, float(exact.max()))
        self.widths = np.maximum(self.widths, np.abs(exact).reshape(-1, exact.shape[-1]).max(axis=0))

    @property
    def channel_spread(self) -> float:
        used = self.widths[self.widths > 0]
        return float(used.max() / np.median(used)) if used.size else 1.0


def _differences(scores: np.ndarray) -> np.ndarray:
    """Take from all classes their mean: what moves all scores of a pixel alike changes no class."""
    return scores - scores.mean(axis=-1, keepdims=True)


def _tally(reference: Sequence[np.ndarray], outputs: Iterable[list[np.ndarray]]) -> _Tally:
    tally = _Tally()
    for exact_scores, (scores, exact, rough) in zip(reference, outputs, strict=True):
        tally.add(exact_scores, scores, exact, rough)
    return tally


def _error(layer: Layer, tally: _Tally, all_noise: float) -> LayerError:
    span = tally.high - tally.low
    return LayerError(
        layer=layer,
        sqnr_db=tally.own.sqnr_db,
        rmse_share=tally.own.rmse / span if span else 0.0,
        channel_spread=tally.channel_spread,
        scores_sqnr_db=tally.scores.sqnr_db,
        noise_share=tally.scores.noise / all_noise if all_noise else 0.0,
        changed_pixels=tally.changed / tally.pixels,
    )
