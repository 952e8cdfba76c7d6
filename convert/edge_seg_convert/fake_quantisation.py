"""int8 in one layer of a float graph, simulated: what that layer alone does to the result.

Fake quantisation (Jacob et al. 2018, https://arxiv.org/abs/1712.05877): constants take the values that int8 leaves
of them, and the output passes through QUANTIZE and DEQUANTIZE; the arithmetic stays float.
"""

import copy
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edge_seg_convert import graph


@dataclass(frozen=True)
class _Quantised:
    """A tensor of the int8 graph: its type and quantisation, and its values if it is constant."""

    kind: int
    quantization: Any
    data: Any


def with_quantised_layer(core: bytes, int8_model: bytes, index: int) -> bytes:
    """Quantise the operation at `index` of a float graph as `int8_model` does, and nothing else.

    Returns:
        A float graph with three outputs: the scores, the layer's output in float, and the same after quantisation.

    Raises:
        KeyError: the int8 graph does not have the layer's output; see `quantised_layers`.
    """
    edited = graph.parse(core)
    subgraph, known = edited.subgraphs[0], _quantised_tensors(int8_model)
    original = subgraph.operators[index]
    exact = original.outputs[0]
    name, shape = subgraph.tensors[exact].name, subgraph.tensors[exact].shape
    twin = copy.copy(original)
    twin.inputs = [_simulated(edited, tensor, known) for tensor in original.inputs]
    twin.outputs = [graph.add_tensor(edited, "twin", shape, schema.TensorType.FLOAT32)]
    quantised = graph.add_tensor(edited, "quantised", shape, known[name].kind, quantization=known[name].quantization)
    rough = graph.add_tensor(edited, "rough", shape, schema.TensorType.FLOAT32)
    for reader in subgraph.operators[index + 1 :]:
        reader.inputs = [rough if tensor == exact else tensor for tensor in reader.inputs]
    subgraph.outputs = [rough if tensor == exact else tensor for tensor in subgraph.outputs] + [exact, rough]
    subgraph.operators[index + 1 : index + 1] = [
        twin,
        graph.make_operation(edited, schema.BuiltinOperator.QUANTIZE, [quantised], twin.outputs),
        graph.make_operation(edited, schema.BuiltinOperator.DEQUANTIZE, [rough], [quantised]),
    ]
    return graph.serialise(edited)


def quantised_layers(core: bytes, int8_model: bytes) -> frozenset[int]:
    """Return the positions of a float graph's operations whose output is int8 in `int8_model`."""
    subgraph, known = graph.parse(core).subgraphs[0], _quantised_tensors(int8_model)
    return frozenset(
        index
        for index, operation in enumerate(subgraph.operators)
        if (tensor := known.get(subgraph.tensors[operation.outputs[0]].name)) and tensor.kind == schema.TensorType.INT8
    )


def _quantised_tensors(int8_model: bytes) -> dict[bytes, _Quantised]:
    model = graph.parse(int8_model)
    return {
        tensor.name: _Quantised(tensor.type, tensor.quantization, model.buffers[tensor.buffer].data)
        for tensor in model.subgraphs[0].tensors
        if tensor.quantization is not None and tensor.quantization.scale is not None and tensor.type in graph.INTEGERS
    }


def _simulated(edited: schema.ModelT, index: int, known: dict[bytes, _Quantised]) -> int:
    """Add what int8 leaves of a constant as a new constant; other tensors stay as they are."""
    if index < 0:
        return index
    tensor = edited.subgraphs[0].tensors[index]
    quantised = known.get(tensor.name)
    if quantised is None or quantised.data is None:
        return index
    values = graph.dequantised(quantised.data, quantised.kind, quantised.quantization, tensor.shape)
    return graph.add_tensor(edited, "simulated", tensor.shape, schema.TensorType.FLOAT32, data=values)
