"""The layers of a float graph: its operations under the names that they have in Keras."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edge_seg_convert import graph

_OPERATION_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_PADDING = re.compile(r"/Pad\d*$")
_KERAS_SCOPE = re.compile(r"(.+)_\d+")


@dataclass(frozen=True)
class Layer:
    """One operation of a graph, with what the converter fused into it: bias, BatchNorm, activation."""

    index: int
    """Its position among the graph's operations."""
    name: str
    """Its name in Keras; those of a layer that becomes several operations are told apart, as in decode_1/depthwise."""
    operation: str
    """e.g. CONV_2D"""
    scope: str
    """Its name for litert-quantizer: its outputs' names, each with a semicolon behind."""
    readers: frozenset[int]
    """Positions of the operations that read what it gives."""


def layers_of(core: bytes) -> tuple[Layer, ...]:
    """List the operations of a float graph in the order they run."""
    model = graph.parse(core)
    operations, tensors = model.subgraphs[0].operators, model.subgraphs[0].tensors
    named = [
        Layer(
            index=index,
            name=_keras_name(model, operation),
            operation=_OPERATION_NAMES[graph.operation_code(model, operation)],
            scope="".join(f"{tensors[output].name.decode()};" for output in operation.outputs),
            readers=_readers(operations, operation),
        )
        for index, operation in enumerate(operations)
    ]
    return _distinct(named)


def _readers(operations: Sequence[Any], operation: Any) -> frozenset[int]:
    written = set(operation.outputs)
    return frozenset(index for index, other in enumerate(operations) if written & set(other.inputs))


def _keras_name(model: schema.ModelT, operation: Any) -> str:
    """Read the layer off the name of its weights, its output or, where that was lost, of another constant.

    A fused name lists the paths of all that was fused: of conv_relu_1/Relu;conv_bn_1/add;conv_1/convolution the
    shortest layer is the convolution. Padding, which comes first in the network, is not what a layer is known by.
    """
    tensors = model.subgraphs[0].tensors
    inputs = [index for index in operation.inputs if index >= 0]
    constants = [index for index in inputs if model.buffers[tensors[index].buffer].data is not None]
    weights = [index for index in constants if len(tensors[index].shape) > 1]
    for indices in (weights, operation.outputs, constants):
        paths = [path for index in indices for path in tensors[index].name.decode().split(";") if "/" in path]
        if paths:
            return min(map(_layer_in, [path for path in paths if not _PADDING.search(path)] or paths), key=len)
    return tensors[operation.outputs[0]].name.decode()


def _layer_in(path: str) -> str:
    """Of model_1/encoder_1/block_1_expand_1/convolution return block_1_expand: Keras numbers scopes, not operations."""
    *scopes, last = path.split("/")
    matches = [match for match in map(_KERAS_SCOPE.fullmatch, scopes) if match]
    return matches[-1][1] if matches else (scopes or [last])[-1]


def _short_operation(layer: Layer) -> str:
    return layer.operation.lower().removesuffix("_conv_2d")


def _distinct(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Put the operation, and if need be the position, behind names that several operations share."""
    for suffix in (_short_operation, lambda layer: str(layer.index)):
        counts = Counter(layer.name for layer in layers)
        layers = [
            replace(layer, name=f"{layer.name}/{suffix(layer)}") if counts[layer.name] > 1 else layer
            for layer in layers
        ]
    return tuple(layers)
