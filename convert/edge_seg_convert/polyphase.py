"""Transposed convolutions rewritten exactly as small convolutions and DEPTH_TO_SPACE.

A stride-s transposed convolution gives s×s interleaved images (phases), each an ordinary convolution of the
input with every s-th tap of the kernel in both directions (the polyphase form; Shi et al. 2016, "Is the
deconvolution layer the same as a convolutional layer?", arXiv:1609.07009). Computed one by one the phases cost
the multiplications of the transposed convolution and no more, run on the runtimes' fastest kernels and use all
threads; TRANSPOSE_CONV has none of that, and no dynamic-range kernel at all.

    3×3 kernel w, stride 2, 'same', in one dimension, input x, output y:
    y[2j] = w0 x[j] + w2 x[j−1]        y[2j+1] = w1 x[j]
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_seg.errors import ConversionError
from edge_seg_convert import graph

FEWEST_CHANNELS_APART = 8
"""Below this many output channels a convolution wastes most of a vector register: the phases then share one
convolution, zeros filled in (measured on x86 and in ARM instructions: benchmarks/results/graph_study)."""

RewriteChoice = Literal["auto", "on", "off"]

_OP = schema.BuiltinOperator
Taps = Mapping[int, int]
"""Of one phase, in one dimension: the kernel's tap by the input's offset (0 = the pixel under the output)."""


@dataclass(frozen=True)
class Phase:
    """One of the interleaved images: which taps make it, vertically and horizontally."""

    rows: Taps
    columns: Taps


def taps_of_phases(kernel: int, stride: int, pad_before: int) -> list[Taps]:
    """Divide a kernel's taps among the phases, in one dimension.

    Output n = stride·j + phase is the sum of tap k over input j + offset, where k = phase + pad_before − stride·offset.
    """
    return [
        {
            offset: phase + pad_before - stride * offset
            for offset in range(-kernel, kernel + 1)
            if 0 <= phase + pad_before - stride * offset < kernel
        }
        for phase in range(stride)
    ]


def count_transposed(model: bytes) -> int:
    """Count the transposed convolutions of a graph."""
    parsed = graph.parse(model)
    return sum(graph.operation_code(parsed, item) == _OP.TRANSPOSE_CONV for item in parsed.subgraphs[0].operators)


def rewrite(model: bytes, choice: RewriteChoice, fewest_apart: int = FEWEST_CHANNELS_APART) -> bytes:
    """Rewrite the transposed convolutions of a float32 graph; tensors keep their names.

    Args:
        model: a float32 .tflite.
        choice: "auto" rewrites those that can be, "on" refuses a graph with one that cannot, "off" does nothing.
        fewest_apart: output channels from which on each phase has a convolution of its own.

    Raises:
        ConversionError: "on", and one cannot be rewritten.
    """
    if choice == "off":
        return model
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    operations: list[Any] = []
    for operation in main.operators:
        if graph.operation_code(edited, operation) != _OP.TRANSPOSE_CONV:
            operations.append(operation)
            continue
        reason = _obstacle(edited, operation)
        if reason is None:
            operations += _Rewriting(edited, operation, fewest_apart).operations()
        elif choice == "on":
            name = main.tensors[operation.outputs[0]].name.decode()
            raise ConversionError(
                f"the transposed convolution '{name}' cannot be rewritten ({reason}); "
                "leave it as it is with --rewrite auto"
            )
        else:
            operations.append(operation)
    main.operators = operations
    graph.drop_unused(edited)
    return graph.serialise(edited)


def _obstacle(model: schema.ModelT, operation: Any) -> str | None:
    """Say why a transposed convolution is none of those that split into phases."""
    main, options = model.subgraphs[0], operation.builtinOptions
    weights, image = (main.tensors[operation.inputs[position]] for position in (1, 2))
    output = main.tensors[operation.outputs[0]]
    if weights.type != schema.TensorType.FLOAT32 or not graph.is_constant(model, operation.inputs[1]):
        return "its kernel is not a float32 constant"
    stride = options.strideH
    if options.strideW != stride:
        return f"its strides {stride} and {options.strideW} differ"
    if stride < 2:
        return "its stride is 1"
    if list(output.shape[1:3]) != [stride * size for size in image.shape[1:3]]:
        return f"its output {list(output.shape[1:3])} is not {stride} times its input {list(image.shape[1:3])}"
    if min(weights.shape[1:3]) < stride:
        return f"its {weights.shape[1]}×{weights.shape[2]} kernel is smaller than its stride {stride}"
    return None


class _Rewriting:
    """The operations that take one transposed convolution's place."""

    def __init__(self, model: schema.ModelT, operation: Any, fewest_apart: int) -> None:
        self._model = model
        self._main = model.subgraphs[0]
        self._fewest_apart = fewest_apart
        _, weights, self._image, *bias = operation.inputs
        self._output = int(operation.outputs[0])
        self._name = self._main.tensors[self._output].name.decode()
        self._activation = operation.builtinOptions.fusedActivationFunction
        self._stride = int(operation.builtinOptions.strideH)
        self._kernel = graph.float_constant(model, weights)
        has_bias = bool(bias) and bias[0] >= 0
        self._bias = graph.float_constant(model, bias[0]) if has_bias else np.zeros(len(self._kernel), np.float32)
        self._height, self._width = (int(size) for size in self._main.tensors[self._image].shape[1:3])
        self._added: list[Any] = []

    def operations(self) -> list[Any]:
        """Make a convolution for each phase (one for all, when channels are few), joined and interleaved."""
        rows, columns = (self._taps(axis) for axis in (1, 2))
        phases = [Phase(vertical, horizontal) for vertical, horizontal in itertools.product(rows, columns)]
        apart = len(self._kernel) >= self._fewest_apart
        groups = [[phase] for phase in phases] if apart else [phases]
        parts = [self._convolution(group, f"{self._name}/phase{index}") for index, group in enumerate(groups)]
        self._interleave(parts[0] if len(parts) == 1 else self._join(parts))
        return self._added

    def _taps(self, axis: int) -> list[Taps]:
        kernel = self._kernel.shape[axis]
        # 'same' pads what the kernel exceeds the stride by, the smaller half before (TensorFlow's convention).
        return taps_of_phases(kernel, self._stride, (kernel - self._stride) // 2)

    def _convolution(self, phases: Sequence[Phase], name: str) -> int:
        top, bottom = _window(phase.rows for phase in phases)
        left, right = _window(phase.columns for phase in phases)
        kernel = np.zeros((len(phases), len(self._kernel), bottom - top + 1, right - left + 1, self._depth), np.float32)
        for index, phase in enumerate(phases):
            for (y, tap_y), (x, tap_x) in itertools.product(phase.rows.items(), phase.columns.items()):
                kernel[index, :, y - top, x - left] = self._kernel[:, tap_y, tap_x]
        kernel = kernel.reshape(-1, *kernel.shape[2:])
        image = self._padded([[0, 0], [-top, bottom], [-left, right], [0, 0]], name)
        weights = self._constant(f"{name}/kernel", kernel)
        bias = self._constant(f"{name}/bias", np.tile(self._bias, len(phases)))
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = self._activation
        return self._add(_OP.CONV_2D, [image, weights, bias], f"{name}/convolution", len(kernel), options)

    @property
    def _depth(self) -> int:
        return self._kernel.shape[3]

    def _padded(self, pads: list[list[int]], name: str) -> int:
        if not np.any(pads):
            return self._image
        paddings = self._constant(f"{name}/paddings", np.array(pads, np.int32))
        size = [1, self._height + sum(pads[1]), self._width + sum(pads[2]), self._depth]
        padded = graph.add_tensor(self._model, f"{name}/padded", size, schema.TensorType.FLOAT32)
        self._append(_OP.PAD, padded, [self._image, paddings], schema.PadOptionsT())
        return padded

    def _join(self, parts: list[int]) -> int:
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        return self._add(_OP.CONCATENATION, parts, f"{self._name}/phases", len(parts) * len(self._kernel), options)

    def _interleave(self, phases: int) -> None:
        options = schema.DepthToSpaceOptionsT()
        options.blockSize = self._stride
        self._append(_OP.DEPTH_TO_SPACE, self._output, [phases], options)

    def _constant(self, name: str, values: NDArray[Any]) -> int:
        kind = schema.TensorType.INT32 if values.dtype == np.int32 else schema.TensorType.FLOAT32
        return graph.add_tensor(self._model, name, values.shape, kind, data=values)

    def _add(self, code: int, inputs: list[int], name: str, channels: int, options: Any) -> int:
        shape = [1, self._height, self._width, channels]
        output = graph.add_tensor(self._model, name, shape, schema.TensorType.FLOAT32)
        self._append(code, output, inputs, options)
        return output

    def _append(self, code: int, output: int, inputs: list[int], options: Any) -> None:
        self._added.append(graph.make_operation(self._model, code, [output], inputs, options))


def _window(taps: Any) -> tuple[int, int]:
    """Return the first and last offset that any of the phases reads; the pixel itself is always within."""
    offsets = [offset for phase in taps for offset in phase] + [0]
    return min(offsets), max(offsets)
