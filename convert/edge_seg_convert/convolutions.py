"""How the three convolutions of TFLite lay out their inputs and weights."""

from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edge_seg_convert import graph

_OP = schema.BuiltinOperator


@dataclass(frozen=True)
class Layout:
    """Positions among an operation's inputs; weights always count their input channels on the last axis."""

    image: int
    weights: int
    bias: int
    output_axis: int
    """Axis of the weights that counts output channels."""


_LAYOUTS = {
    _OP.CONV_2D: Layout(0, 1, 2, 0),
    _OP.DEPTHWISE_CONV_2D: Layout(0, 1, 2, 3),
    _OP.TRANSPOSE_CONV: Layout(2, 1, 3, 0),
}


def layout_of(model: schema.ModelT, operation: Any) -> Layout | None:
    """Return a convolution's layout; None for another operation, or one whose weights the file does not hold."""
    layout = _LAYOUTS.get(graph.operation_code(model, operation))
    if layout is None or not graph.is_constant(model, int(operation.inputs[layout.weights])):
        return None
    return layout


def is_depthwise(model: schema.ModelT, operation: Any) -> bool:
    """Tell whether each channel is convolved on its own."""
    return graph.operation_code(model, operation) == _OP.DEPTHWISE_CONV_2D


def bias_index(operation: Any, layout: Layout) -> int | None:
    """Return the bias tensor's index, or None for a convolution without one."""
    has_bias = len(operation.inputs) > layout.bias and operation.inputs[layout.bias] >= 0
    return int(operation.inputs[layout.bias]) if has_bias else None
