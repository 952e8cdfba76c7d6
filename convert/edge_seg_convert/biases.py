"""Biases of an int8 graph: room for them, and what they can make up for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_seg_convert import graph
from edge_seg_convert.activations import Activation
from edge_seg_convert.convolutions import Layout, bias_index, is_depthwise, layout_of

_INT8_STEPS, _ACTIVATION_STEPS = 127, 255
_LARGEST_BIAS = 2.0**30
"""Half of what int32 holds: the other half is for the accumulator."""


def with_room(model: bytes, activations: Mapping[str, Activation]) -> bytes:
    """Keep int32 biases from overflowing where a channel's weights have died away.

    A bias is stored in steps of (input's scale × weights' scale). With weights of 1e-10, which training leaves in
    channels that it switched off, a bias of 0.1 would need more steps than int32 has, and litert-quantizer 0.11
    wraps it to a large negative number. One such weight is raised to the smallest value that leaves room: at most
    |bias| / 2^15 of the channel's output.

    Args:
        model: a float32 graph.
        activations: what `measure` gave for it.
    """
    edited = graph.parse(model)
    for operation in edited.subgraphs[0].operators:
        layout = layout_of(edited, operation)
        seen = activations.get(graph.tensor_name(edited, operation.inputs[layout.image])) if layout else None
        if layout and seen and bias_index(operation, layout) is not None:
            _raise_weights(edited, operation, layout, seen)
    graph.drop_unused(edited)
    return graph.serialise(edited)


def _raise_weights(model: schema.ModelT, operation: Any, layout: Layout, seen: Activation) -> None:
    low, high = seen.ends
    step = max(high - low, 1e-6) / _ACTIVATION_STEPS
    bias = graph.float_constant(model, operation.inputs[layout.bias])
    needed = np.abs(bias) * _INT8_STEPS / (step * _LARGEST_BIAS)
    weights = np.moveaxis(graph.float_constant(model, operation.inputs[layout.weights]), layout.output_axis, 0)
    lacking = np.abs(weights).reshape(len(weights), -1).max(axis=1) < needed
    if not lacking.any():
        return

    def raised(values: NDArray[np.float32]) -> NDArray[np.float32]:
        values = values.copy()
        np.moveaxis(values, layout.output_axis, 0)[lacking, 0, 0, 0] = needed[lacking]
        return values

    graph.replace_constant(model, operation, layout.weights, raised)


def corrected(quantised: bytes, float_model: bytes, activations: Mapping[str, Activation]) -> bytes:
    """Take the mean error that rounding the weights causes out of the biases.

    Rounding changes a weight by up to half a step, and inputs after a ReLU have a mean: their product shifts the
    whole channel. The shift is known, since the input's mean over the calibration images is (Nagel et al. 2019,
    section 4.2; means measured, not assumed). It is the larger part of int8's loss in this network.

    Args:
        quantised: the int8 graph made from `float_model`; tensors have the same names.
        float_model: the float32 graph.
        activations: what `measure` gave for it.
    """
    edited, original = graph.parse(quantised), graph.parse(float_model)
    makers = {
        graph.tensor_name(original, operation.outputs[0]): operation for operation in original.subgraphs[0].operators
    }
    for operation in edited.subgraphs[0].operators:
        layout = layout_of(edited, operation)
        maker = makers.get(_float_name(graph.tensor_name(edited, operation.outputs[0])))
        if layout is None or maker is None or not _is_int8(edited, operation, layout):
            continue
        image = _mean_image(original, int(maker.inputs[layout.image]), makers, activations)
        if image is not None:
            rounding = _dequantised(edited, int(operation.inputs[layout.weights])) - graph.float_constant(
                original, maker.inputs[layout.weights]
            )
            _subtract(edited, operation, layout, _mean_output(original, maker, rounding, image))
    graph.drop_unused(edited)
    return graph.serialise(edited)


def _float_name(name: str) -> str:
    """Return what litert-quantizer called a tensor before it put a QUANTIZE behind it."""
    return name.removesuffix("_quantized")


def _is_int8(model: schema.ModelT, operation: Any, layout: Layout) -> bool:
    weights = model.subgraphs[0].tensors[operation.inputs[layout.weights]]
    bias = bias_index(operation, layout)
    return (
        weights.type == schema.TensorType.INT8
        and bias is not None
        and (model.subgraphs[0].tensors[bias].type == schema.TensorType.INT32)
    )


def _mean_image(
    model: schema.ModelT, index: int, makers: Mapping[str, Any], activations: Mapping[str, Activation]
) -> NDArray[np.float32] | None:
    """Return the mean of a convolution's input, [height, width, channels]; a rewriting's PAD was never measured."""
    name = graph.tensor_name(model, index)
    if name in activations:
        return activations[name].mean[0]
    maker = makers.get(name)
    if maker is None or graph.operation_code(model, maker) != schema.BuiltinOperator.PAD:
        return None
    source = _mean_image(model, int(maker.inputs[0]), makers, activations)
    return None if source is None else np.pad(source, graph.constant(model, maker.inputs[1], np.int32)[1:])


def _mean_output(
    model: schema.ModelT, operation: Any, weights: NDArray[np.float32], image: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Convolve the mean image with `weights` and average over all positions, [output channels]."""
    out_height, out_width = (int(size) for size in model.subgraphs[0].tensors[operation.outputs[0]].shape[1:3])
    rows, columns = _samplings(model, operation, image.shape[:2], (out_height, out_width), weights.shape[1:3])
    mean = np.zeros(weights.shape[3] if is_depthwise(model, operation) else weights.shape[0], np.float64)
    for y, x in np.ndindex(weights.shape[1:3]):
        seen = image[rows.seen_by(y), columns.seen_by(x)].sum(axis=(0, 1), dtype=np.float64) / (out_height * out_width)
        if is_depthwise(model, operation):
            mean += weights[0, y, x] * np.repeat(seen, weights.shape[3] // len(seen))
        else:
            mean += weights[:, y, x] @ seen
    return mean


def _samplings(
    model: schema.ModelT, operation: Any, size: Sequence[int], out: Sequence[int], kernel: Sequence[int]
) -> list["_Sampling"]:
    """Return the vertical and the horizontal one; sizes are (height, width)."""
    options = operation.builtinOptions
    strides = options.strideH, options.strideW
    if graph.operation_code(model, operation) == schema.BuiltinOperator.TRANSPOSE_CONV:
        return [_Transposed(*axis) for axis in zip(size, out, kernel, strides, strict=True)]
    dilations = options.dilationHFactor, options.dilationWFactor
    return [Direct(*axis) for axis in zip(size, out, kernel, strides, dilations, strict=True)]


class _Sampling(Protocol):
    """Which input positions a tap of the kernel sees, in one dimension; the others are padding."""

    def seen_by(self, tap: int) -> slice:
        """Return the positions."""
        ...


@dataclass(frozen=True)
class Direct:
    """Of a convolution that is not transposed."""

    size: int
    out: int
    kernel: int
    stride: int
    dilation: int

    def seen_by(self, tap: int) -> slice:
        """Output n reads input stride·n + dilation·tap − padding."""
        missing = max(0, (self.out - 1) * self.stride + (self.kernel - 1) * self.dilation + 1 - self.size)
        first = tap * self.dilation - missing // 2
        start = first if first >= 0 else first % self.stride
        return slice(start, max(0, first + (self.out - 1) * self.stride + 1), self.stride)


@dataclass(frozen=True)
class _Transposed:
    size: int
    out: int
    kernel: int
    stride: int

    def seen_by(self, tap: int) -> slice:
        """Input j goes to output stride·j + tap − padding."""
        missing = max(0, (self.size - 1) * self.stride + self.kernel - self.out)
        first = missing // 2 - tap
        return slice(max(0, -(-first // self.stride)), max(0, (self.out - 1 + first) // self.stride + 1))


def _dequantised(model: schema.ModelT, index: int) -> NDArray[np.float32]:
    tensor = model.subgraphs[0].tensors[index]
    return graph.dequantised(model.buffers[tensor.buffer].data, tensor.type, tensor.quantization, tensor.shape)


def _subtract(model: schema.ModelT, operation: Any, layout: Layout, shift: NDArray[np.float64]) -> None:
    tensor = model.subgraphs[0].tensors[operation.inputs[layout.bias]]
    steps = graph.constant(model, operation.inputs[layout.bias], np.int32) - np.rint(
        shift / np.asarray(tensor.quantization.scale, np.float64)
    )
    limits = np.iinfo(np.int32)
    values = np.clip(steps, limits.min, limits.max).astype(np.int32)
    # A bias of its own: a layer that is applied twice shares one.
    name = f"{tensor.name.decode()}#{len(model.subgraphs[0].tensors)}"
    operation.inputs[layout.bias] = graph.add_tensor(
        model, name, tensor.shape, tensor.type, data=values, quantization=tensor.quantization
    )
