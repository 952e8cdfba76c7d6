"""Exact edits of a TFLite graph: the same function, another input or output.

Types are those of the TFLite schema
(https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edge_seg.errors import ConversionError

_SCALING_OPERATIONS = frozenset(
    {schema.BuiltinOperator.CAST, schema.BuiltinOperator.MUL, schema.BuiltinOperator.ADD, schema.BuiltinOperator.SUB}
)


@dataclass(frozen=True)
class InputScaling:
    """How a graph turns bytes into numbers: byte × scale + offset."""

    scale: float
    offset: float


def parse(model: bytes) -> schema.ModelT:
    """Read a .tflite into the schema's mutable objects."""
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def serialise(model: schema.ModelT) -> bytes:
    """Write a model to the bytes of a .tflite."""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def without_input_scaling(model: bytes) -> tuple[bytes, InputScaling]:
    """Cut the leading CAST, MUL, ADD or SUB off a float graph: its input becomes the scaled float image.

    A fully quantised graph wants this: the scaling is then its input's scale and zero point, which costs nothing.
    The converter may have folded a part of the scaling into the first convolution; what is cut is returned.

    Raises:
        ConversionError: the graph does not begin with its scaling.
    """
    edited = parse(model)
    graph = edited.subgraphs[0]
    scaling, count = InputScaling(1.0, 0.0), 0
    while operation_code(edited, graph.operators[count]) in _SCALING_OPERATIONS:
        scaling = _after(edited, graph.operators[count], scaling)
        count += 1
    if count == 0:
        raise ConversionError("the graph does not begin with its pixel scaling; convert a model that edge-seg trained")
    _replace_input(edited, graph.operators[count - 1].outputs[0])
    del graph.operators[:count]
    _drop_unused_tensors(edited)
    return serialise(edited), scaling


def _after(model: schema.ModelT, operation: schema.OperatorT, scaling: InputScaling) -> InputScaling:
    """Compose `scaling` with one more operation by a constant."""
    code = operation_code(model, operation)
    if code == schema.BuiltinOperator.CAST:
        return scaling
    constant = float(_floats(model, model.subgraphs[0].tensors[operation.inputs[1]]).item())
    if code == schema.BuiltinOperator.MUL:
        return InputScaling(scaling.scale * constant, scaling.offset * constant)
    sign = -1 if code == schema.BuiltinOperator.SUB else 1
    return InputScaling(scaling.scale, scaling.offset + sign * constant)


def with_uint8_input(model: bytes) -> bytes:
    """Give an int8 graph a uint8 input: raw camera bytes, shifted by a QUANTIZE operation in front.

    The uint8 tensor has the same scale and a zero point higher by 128, so the shift is exact.
    """
    edited = parse(model)
    graph = edited.subgraphs[0]
    signed_index = graph.inputs[0]
    signed = graph.tensors[signed_index]
    quantization = schema.QuantizationParametersT()
    quantization.scale = signed.quantization.scale
    quantization.zeroPoint = [int(signed.quantization.zeroPoint[0]) + 128]
    unsigned_index = add_tensor(edited, "image", signed.shape, schema.TensorType.UINT8, quantization=quantization)
    operation = new_operation(edited, schema.BuiltinOperator.QUANTIZE, [signed_index], [unsigned_index])
    graph.operators.insert(0, operation)
    _replace_input(edited, unsigned_index)
    return serialise(edited)


def with_class_map_output(model: bytes) -> bytes:
    """Append ARG_MAX over the classes: the output becomes int32 class ids [1, height, width]."""
    edited = parse(model)
    graph = edited.subgraphs[0]
    scores_index = graph.outputs[0]
    axis_index = add_tensor(edited, "class_axis", [1], schema.TensorType.INT32, data=np.array([3], np.int32))
    shape = list(graph.tensors[scores_index].shape[:3])
    classes_index = add_tensor(edited, "class_map", shape, schema.TensorType.INT32)
    operation = new_operation(edited, schema.BuiltinOperator.ARG_MAX, [classes_index], [scores_index, axis_index])
    operation.builtinOptionsType = schema.BuiltinOptions.ArgMaxOptions
    operation.builtinOptions = schema.ArgMaxOptionsT()
    operation.builtinOptions.outputType = schema.TensorType.INT32
    graph.operators.append(operation)
    graph.outputs[0] = classes_index
    for signature in edited.signatureDefs or []:
        signature.outputs[0].tensorIndex = classes_index
    return serialise(edited)


def input_quantisation(model: bytes) -> tuple[float, int]:
    """Return (scale, zero point) of a quantised graph's input."""
    edited = parse(model)
    tensor = edited.subgraphs[0].tensors[edited.subgraphs[0].inputs[0]]
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])


def operation_code(model: schema.ModelT, operation: Any) -> int:
    """Return the schema.BuiltinOperator of an operation."""
    return flatbuffer_utils.get_builtin_code_from_operator_code(model.operatorCodes[operation.opcodeIndex])


def _floats(model: schema.ModelT, tensor: Any) -> np.ndarray:
    return np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(np.float32)


def _replace_input(model: schema.ModelT, index: int) -> None:
    model.subgraphs[0].inputs[0] = index
    for signature in model.signatureDefs or []:
        signature.inputs[0].tensorIndex = index


def _drop_unused_tensors(model: schema.ModelT) -> None:
    """Remove tensors that no operation touches: no memory is planned for them, so calibration cannot read them."""
    graph = model.subgraphs[0]
    used = {index for operation in graph.operators for index in (*operation.inputs, *operation.outputs)}
    kept = sorted((used | set(graph.inputs) | set(graph.outputs)) - {-1})
    renumbered = {old: new for new, old in enumerate(kept)} | {-1: -1}
    graph.tensors = [graph.tensors[index] for index in kept]
    for holder in (graph, *graph.operators):
        holder.inputs = [renumbered[index] for index in holder.inputs]
        holder.outputs = [renumbered[index] for index in holder.outputs]
    for signature in model.signatureDefs or []:
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = renumbered[entry.tensorIndex]


def new_operation(model: schema.ModelT, code: int, outputs: list[int], inputs: list[int]) -> schema.OperatorT:
    """Make an operation, not yet in the graph; tensors are given by index."""
    operation = schema.OperatorT()
    operation.opcodeIndex = _operator_code_index(model, code)
    operation.inputs, operation.outputs = inputs, outputs
    return operation


def _operator_code_index(model: schema.ModelT, code: int) -> int:
    for index, known in enumerate(model.operatorCodes):
        if flatbuffer_utils.get_builtin_code_from_operator_code(known) == code:
            return index
    added = schema.OperatorCodeT()
    added.builtinCode = code
    added.deprecatedBuiltinCode = min(code, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    added.version = 1
    model.operatorCodes.append(added)
    return len(model.operatorCodes) - 1


def add_tensor(
    model: schema.ModelT,
    name: str,
    shape: Any,
    kind: int,
    *,
    data: np.ndarray | None = None,
    quantization: schema.QuantizationParametersT | None = None,
) -> int:
    """Add a tensor to the graph, constant when it has `data`; return its index."""
    buffer = schema.BufferT()
    if data is not None:
        buffer.data = data.ravel().view(np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type = name.encode(), list(shape), kind
    tensor.buffer = len(model.buffers) - 1
    tensor.quantization = quantization
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1
