"""Cross-layer equalisation: the channels of an activation fill its int8 range more evenly.

TFLite quantises an activation with one scale for all its channels, and a weight with one scale for all the
inputs of an output channel. A channel that stays below 0.05 in a tensor that reaches 6 is left with two of 256
steps, and the large weights that read it cost its neighbours theirs. Scaling a channel where it is made and
dividing the weights that read it changes nothing in float (ReLU passes a positive factor through) and gives
every channel all steps (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
Correction", section 4.1; there from the weights alone, here from the calibration images). ReLU6 passes it only
below its ceiling, so such channels are raised to the ceiling and no further: above what calibration saw they
saturate, as any int8 channel does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_seg_convert import graph
from edge_seg_convert.activations import Activation
from edge_seg_convert.convolutions import bias_index, is_depthwise, layout_of

CEILING = 6.0
"""What channels are scaled towards: ReLU6's own ceiling, so that tensors joined later have like ranges."""
SHARE = 0.5
"""How much of the way, as a power; 0 leaves the graph as it is, 1 evens its activations out
(swept in benchmarks/results/int8_study.json)."""
HIGHEST_GAIN = 2.0**12
"""A channel that calibration barely saw counts as this far below the ceiling."""

_OP = schema.BuiltinOperator
_LINEAR, _RELU = schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU
_RELU6 = schema.ActivationFunctionType.RELU6
_HOMOGENEOUS = (_LINEAR, _RELU, _RELU6)


def equalise(
    model: bytes, activations: Mapping[str, Activation], share: float = SHARE
) -> tuple[bytes, dict[str, Activation]]:
    """Scale channels to fill their tensors better; the function stays the same on everything calibration saw.

    Args:
        model: a float32 graph.
        activations: what `measure` gave for it.
        share: how much of the way to the ceiling, as a power.

    Returns:
        The graph with the same tensor names, and the activations it has now.
    """
    edited = graph.parse(model)
    flow = _Flow(edited)
    now = dict(activations)
    for operation in edited.subgraphs[0].operators:
        output = int(operation.outputs[0])
        name = graph.tensor_name(edited, output)
        readers = flow.readers(output) if _can_be_scaled(edited, operation) and name in now else None
        if not readers:
            continue
        gain = _gain(now[name], share, relu6=operation.builtinOptions.fusedActivationFunction == _RELU6)
        _scale_outputs(edited, operation, gain)
        for reader in readers:
            _scale_reading(edited, reader, 1 / gain)
        for moved in flow.copies(output):
            copy = graph.tensor_name(edited, moved.tensor)
            now[copy] = now[copy].times(_placed(gain, moved.offset, len(now[copy].low)))
    graph.drop_unused(edited)
    return graph.serialise(edited), now


def _gain(seen: Activation, share: float, *, relu6: bool) -> NDArray[np.float32]:
    """Return what brings each channel part of the way to the ceiling; one that was never on keeps its scale."""
    largest = np.maximum(np.abs(seen.low), np.abs(seen.high))
    gain = np.where(largest > 0, (CEILING / np.maximum(largest, CEILING / HIGHEST_GAIN)) ** share, 1.0)
    return np.maximum(gain, 1.0 if relu6 else 0.0).astype(np.float32)


def _placed(gain: NDArray[np.floating], offset: int, channels: int) -> NDArray[np.float32]:
    whole = np.ones(channels, np.float32)
    whole[offset : offset + len(gain)] = gain
    return whole


def _can_be_scaled(model: schema.ModelT, operation: Any) -> bool:
    return layout_of(model, operation) is not None and operation.builtinOptions.fusedActivationFunction in _HOMOGENEOUS


def _scale_outputs(model: schema.ModelT, operation: Any, gain: NDArray[np.float32]) -> None:
    layout = layout_of(model, operation)
    assert layout is not None
    shape = [1, 1, 1, 1]
    shape[layout.output_axis] = -1
    graph.replace_constant(model, operation, layout.weights, lambda values: values * gain.reshape(shape))
    if bias_index(operation, layout) is not None:
        graph.replace_constant(model, operation, layout.bias, lambda values: values * gain)


@dataclass(frozen=True)
class _Reader:
    """A convolution that reads a tensor's channels, the first of them as its own channel `offset`."""

    operation: Any
    offset: int


@dataclass(frozen=True)
class _Copy:
    """A tensor that holds another's channels, the first of them as its own channel `offset`."""

    tensor: int
    offset: int


def _scale_reading(model: schema.ModelT, reader: _Reader, factor: NDArray[np.floating]) -> None:
    layout = layout_of(model, reader.operation)
    assert layout is not None

    def scale(weights: NDArray[np.float32]) -> NDArray[np.float32]:
        return weights * _placed(factor, reader.offset, weights.shape[-1])

    graph.replace_constant(model, reader.operation, layout.weights, scale)


class _Flow:
    """Where a tensor's values go, through operations that only move them about."""

    def __init__(self, model: schema.ModelT) -> None:
        self._model = model
        self._main = model.subgraphs[0]
        self._consumers: dict[int, list[Any]] = {}
        for operation in self._main.operators:
            for index in {int(index) for index in operation.inputs}:
                self._consumers.setdefault(index, []).append(operation)

    def copies(self, tensor: int, offset: int = 0) -> list[_Copy]:
        """Return `tensor` and every tensor its values are moved into."""
        found = [_Copy(tensor, offset)]
        for operation in self._consumers.get(tensor, []):
            shift = self._shift(operation, tensor)
            if shift is not None:
                found += self.copies(int(operation.outputs[0]), offset + shift)
        return found

    def readers(self, tensor: int) -> list[_Reader] | None:
        """Return the convolutions that read `tensor` or a copy; None when anything else does too."""
        found: list[_Reader] = []
        for copy in self.copies(tensor):
            if copy.tensor in self._main.outputs:
                return None
            for operation in self._consumers.get(copy.tensor, []):
                if self._reads_as_image(operation, copy.tensor):
                    found.append(_Reader(operation, copy.offset))
                elif self._shift(operation, copy.tensor) is None:
                    return None
        return found

    def _reads_as_image(self, operation: Any, tensor: int) -> bool:
        layout = layout_of(self._model, operation)
        if layout is None or int(operation.inputs[layout.image]) != tensor:
            return False
        # A depthwise convolution that makes several channels of one does not count them as its input does.
        return not is_depthwise(self._model, operation) or operation.builtinOptions.depthMultiplier in (0, 1)

    def _shift(self, operation: Any, tensor: int) -> int | None:
        """Return by how many channels an operation moves `tensor`; None when it does more than move it."""
        code = graph.operation_code(self._model, operation)
        if getattr(operation.builtinOptions, "fusedActivationFunction", _LINEAR) not in (_LINEAR, _RELU):
            return None
        if code in (_OP.RESIZE_BILINEAR, _OP.PAD, _OP.MAX_POOL_2D):
            return 0
        inputs = [int(index) for index in operation.inputs]
        if code == _OP.CONCATENATION and operation.builtinOptions.axis in (-1, 3) and inputs.count(tensor) == 1:
            return sum(int(self._main.tensors[index].shape[-1]) for index in inputs[: inputs.index(tensor)])
        return None
