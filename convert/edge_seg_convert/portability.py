"""What other readers of a .tflite need and LiteRT does not: the same function, written so that all understand it."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edge_seg_convert import graph


def portable(model: bytes) -> bytes:
    """Rewrite a .tflite for readers that know less of the schema than LiteRT does; its function stays as it was."""
    edited = graph.parse(model)
    _separate_transposed_activations(edited)
    _fill_deprecated_codes(edited)
    return graph.serialise(edited)


def _fill_deprecated_codes(model: schema.ModelT) -> None:
    """Name every operation in the schema's older field too.

    litert-quantizer leaves `deprecated_builtin_code` at 0, which is ADD, and OpenVINO reads that field first
    (https://github.com/openvinotoolkit/openvino/issues/29666).
    """
    for known in model.operatorCodes:
        code = flatbuffer_utils.get_builtin_code_from_operator_code(known)
        known.builtinCode = code
        known.deprecatedBuiltinCode = min(code, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)


def _separate_transposed_activations(model: schema.ModelT) -> None:
    """Put the ReLU of each transposed convolution behind it, as an operation of its own.

    OpenVINO's reader drops it where it is fused
    (https://github.com/openvinotoolkit/openvino/blob/master/src/frontends/tensorflow_lite/src/op/transpose_conv.cpp).
    XNNPACK fuses it again. A quantised output keeps it: there its lowest number is 0, which does the same.
    """
    subgraph = model.subgraphs[0]
    operations: list[Any] = []
    for operation in subgraph.operators:
        operations.append(operation)
        if _has_float_relu(model, operation):
            operations.append(_relu_behind(model, operation))
    subgraph.operators = operations


def _has_float_relu(model: schema.ModelT, operation: Any) -> bool:
    if graph.operation_code(model, operation) != schema.BuiltinOperator.TRANSPOSE_CONV:
        return False
    output = model.subgraphs[0].tensors[operation.outputs[0]]
    fused = operation.builtinOptions.fusedActivationFunction
    return fused == schema.ActivationFunctionType.RELU and output.type == schema.TensorType.FLOAT32


def _relu_behind(model: schema.ModelT, operation: Any) -> schema.OperatorT:
    """Take the fused ReLU off `operation`; return one that writes the tensor which `operation` wrote."""
    activated = operation.outputs[0]
    tensor = model.subgraphs[0].tensors[activated]
    sums = graph.add_tensor(model, f"{tensor.name.decode()}/sums", tensor.shape, tensor.type)
    operation.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.NONE
    operation.outputs = [sums]
    return graph.make_operation(model, schema.BuiltinOperator.RELU, [activated], [sums])
