"""Reading and building TFLite graphs.

Types are those of the TFLite schema
(https://github.com/tensorflow/tensorflow/blob/master/tensorflow/compiler/mlir/lite/schema/schema.fbs).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils
from numpy.typing import NDArray

INTEGERS = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}
"""NumPy's types for those that quantised constants have."""


def parse(model: bytes) -> schema.ModelT:
    """Read a .tflite into the schema's mutable objects."""
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def serialise(model: schema.ModelT) -> bytes:
    """Write a model to the bytes of a .tflite."""
    for buffer in model.buffers:
        if buffer.data is not None:
            # Anything but an array is packed byte by byte, which takes seconds.
            buffer.data = np.asarray(buffer.data, np.uint8)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def operation_code(model: schema.ModelT, operation: Any) -> int:
    """Return what an operation is, one of schema.BuiltinOperator."""
    return flatbuffer_utils.get_builtin_code_from_operator_code(model.operatorCodes[operation.opcodeIndex])


def tensor_name(model: schema.ModelT, index: int) -> str:
    """Return a tensor's name."""
    return model.subgraphs[0].tensors[index].name.decode()


def is_constant(model: schema.ModelT, index: int) -> bool:
    """Tell whether the file holds a tensor's values."""
    data = model.buffers[model.subgraphs[0].tensors[index].buffer].data
    return data is not None and len(data) > 0


def constant(model: schema.ModelT, index: int, kind: Any) -> NDArray[Any]:
    """Read a constant tensor of NumPy type `kind`, in its shape."""
    tensor = model.subgraphs[0].tensors[index]
    return np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(kind).reshape(tensor.shape)


def dequantised(data: Any, kind: int, quantization: Any, shape: Any) -> NDArray[np.float32]:
    """Return the real values of a quantised constant, float32 of `shape`; scales may be one per channel."""
    whole = np.asarray(data, np.uint8).view(INTEGERS[kind]).reshape(shape).astype(np.float64)
    per_channel = [1] * len(shape)
    if len(quantization.scale) > 1:
        per_channel[quantization.quantizedDimension] = -1
    scale, zero_point = (
        np.asarray(values, np.float64).reshape(per_channel) for values in (quantization.scale, quantization.zeroPoint)
    )
    return ((whole - zero_point) * scale).astype(np.float32)


def float_constant(model: schema.ModelT, index: int) -> NDArray[np.float32]:
    """Read a constant float32 tensor, in its shape."""
    return constant(model, index, np.float32)


def replace_constant(
    model: schema.ModelT,
    operation: Any,
    position: int,
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> None:
    """Give one input of an operation a changed constant of its own: the converter shares equal ones."""
    old = operation.inputs[position]
    tensor = model.subgraphs[0].tensors[old]
    values = change(float_constant(model, old)).astype(np.float32)
    # Names must stay unique: the quantizer knows tensors by them.
    name = f"{tensor_name(model, old).split('#')[0]}#{len(model.subgraphs[0].tensors)}"
    operation.inputs[position] = add_tensor(model, name, tensor.shape, tensor.type, data=values)


def add_tensor(
    model: schema.ModelT,
    name: str,
    shape: Sequence[int],
    kind: int,
    *,
    data: NDArray[Any] | None = None,
    quantization: schema.QuantizationParametersT | None = None,
) -> int:
    """Add a tensor, constant when it has `data`, and return its index."""
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


def make_operation(
    model: schema.ModelT, code: int, outputs: list[int], inputs: list[int], options: Any = None
) -> schema.OperatorT:
    """Make an operation; it is not yet in the graph. `options` is a table of the schema, such as PadOptionsT."""
    operation = schema.OperatorT()
    operation.opcodeIndex = _operator_code_index(model, code)
    operation.inputs, operation.outputs = inputs, outputs
    if options is not None:
        operation.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        operation.builtinOptions = options
    return operation


def drop_unused(model: schema.ModelT) -> None:
    """Remove tensors that no operation touches, and the values that only they held.

    No memory is planned for such tensors, so calibration cannot read them.
    """
    main = model.subgraphs[0]
    used = {index for operation in main.operators for index in (*operation.inputs, *operation.outputs)}
    kept = sorted((used | set(main.inputs) | set(main.outputs)) - {-1})
    renumbered = {old: new for new, old in enumerate(kept)} | {-1: -1}
    main.tensors = [main.tensors[index] for index in kept]
    for holder in (main, *main.operators):
        holder.inputs = [renumbered[index] for index in holder.inputs]
        holder.outputs = [renumbered[index] for index in holder.outputs]
    for signature in model.signatureDefs or []:
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = renumbered[entry.tensorIndex]
    _drop_unused_buffers(model)


def _drop_unused_buffers(model: schema.ModelT) -> None:
    """Buffer 0 is empty by the format's rule."""
    holders = [tensor for subgraph in model.subgraphs for tensor in subgraph.tensors] + list(model.metadata or [])
    kept = sorted({0} | {int(holder.buffer) for holder in holders})
    renumbered = {old: new for new, old in enumerate(kept)}
    model.buffers = [model.buffers[index] for index in kept]
    for holder in holders:
        holder.buffer = renumbered[int(holder.buffer)]


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
