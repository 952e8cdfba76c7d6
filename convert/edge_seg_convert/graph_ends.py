"""The two ends of a graph: what goes in and what comes out, exchanged without changing the function."""

from dataclasses import dataclass

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edge_seg.errors import ConversionError
from edge_seg_convert import graph

_SCALING_OPERATIONS = frozenset(
    {schema.BuiltinOperator.CAST, schema.BuiltinOperator.MUL, schema.BuiltinOperator.ADD, schema.BuiltinOperator.SUB}
)


@dataclass(frozen=True)
class InputScaling:
    """How a graph turns bytes into numbers: byte × scale + offset."""

    scale: float
    offset: float

    @property
    def ends(self) -> tuple[float, float]:
        """What the bytes 0 and 255 become."""
        return self.offset, 255 * self.scale + self.offset


def without_input_scaling(model: bytes) -> tuple[bytes, InputScaling]:
    """Cut the leading CAST, MUL, ADD or SUB off a float graph: its input becomes the scaled float image.

    A fully quantised graph wants this: the scaling is then its input's scale and zero point, which costs nothing.
    The converter may have folded a part of the scaling into the first convolution; what is cut is returned.

    Raises:
        ConversionError: the graph does not begin with its scaling.
    """
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    scaling, count = InputScaling(1.0, 0.0), 0
    image = int(main.inputs[0])
    while count < len(main.operators) and _scales_alone(edited, main.operators[count], image):
        image = int(main.operators[count].outputs[0])
        scaling = _after(edited, main.operators[count], scaling)
        count += 1
    if count == 0:
        raise ConversionError("the graph does not begin with its pixel scaling; report this with the model")
    _replace_input(edited, main.operators[count - 1].outputs[0])
    del main.operators[:count]
    graph.drop_unused(edited)
    return graph.serialise(edited), scaling


def _scales_alone(model: schema.ModelT, operation: schema.OperatorT, image: int) -> bool:
    """Tell whether an operation scales `image`, and nothing else reads it."""
    readers = [item for item in model.subgraphs[0].operators if image in item.inputs]
    return len(readers) == 1 and readers[0] is operation and _is_scaling(model, operation)


def _is_scaling(model: schema.ModelT, operation: schema.OperatorT) -> bool:
    """Tell whether an operation does the same to all three colours, by constants."""
    code = graph.operation_code(model, operation)
    if code == schema.BuiltinOperator.CAST:
        return True
    return (
        code in _SCALING_OPERATIONS
        and operation.builtinOptions.fusedActivationFunction == schema.ActivationFunctionType.NONE
        and graph.is_constant(model, operation.inputs[1])
        and graph.float_constant(model, operation.inputs[1]).size == 1
    )


def _after(model: schema.ModelT, operation: schema.OperatorT, scaling: InputScaling) -> InputScaling:
    """Compose `scaling` with one more operation by a constant."""
    code = graph.operation_code(model, operation)
    if code == schema.BuiltinOperator.CAST:
        return scaling
    constant = float(graph.float_constant(model, operation.inputs[1]).item())
    if code == schema.BuiltinOperator.MUL:
        return InputScaling(scaling.scale * constant, scaling.offset * constant)
    sign = -1 if code == schema.BuiltinOperator.SUB else 1
    return InputScaling(scaling.scale, scaling.offset + sign * constant)


def with_signature(model: bytes) -> bytes:
    """Name a graph's input `image` and its output `output_0` as Keras does, for runtimes that call it by signature."""
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs = [_named(b"image", main.inputs[0])]
    signature.outputs = [_named(b"output_0", main.outputs[0])]
    edited.signatureDefs = [signature]
    return graph.serialise(edited)


def with_uint8_input(model: bytes) -> bytes:
    """Give an int8 graph a uint8 input: raw camera bytes, shifted by a QUANTIZE operation in front.

    The uint8 tensor has the same scale and a zero point higher by 128, so the shift is exact.
    """
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    signed_index = main.inputs[0]
    signed = main.tensors[signed_index]
    quantization = schema.QuantizationParametersT()
    quantization.scale = signed.quantization.scale
    quantization.zeroPoint = [int(signed.quantization.zeroPoint[0]) + 128]
    unsigned_index = graph.add_tensor(edited, "image", signed.shape, schema.TensorType.UINT8, quantization=quantization)
    operation = graph.make_operation(edited, schema.BuiltinOperator.QUANTIZE, [signed_index], [unsigned_index])
    main.operators.insert(0, operation)
    _replace_input(edited, unsigned_index)
    return graph.serialise(edited)


def with_class_map_output(model: bytes) -> bytes:
    """Append ARG_MAX over the classes: the output becomes int32 class ids [1, height, width]."""
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    scores_index = main.outputs[0]
    axis_index = graph.add_tensor(edited, "class_axis", [1], schema.TensorType.INT32, data=np.array([3], np.int32))
    shape = list(main.tensors[scores_index].shape[:3])
    classes_index = graph.add_tensor(edited, "class_map", shape, schema.TensorType.INT32)
    options = schema.ArgMaxOptionsT()
    options.outputType = schema.TensorType.INT32
    operation = graph.make_operation(
        edited, schema.BuiltinOperator.ARG_MAX, [classes_index], [scores_index, axis_index], options
    )
    main.operators.append(operation)
    main.outputs[0] = classes_index
    for signature in edited.signatureDefs or []:
        signature.outputs[0].tensorIndex = classes_index
    return graph.serialise(edited)


def input_quantisation(model: bytes) -> tuple[float, int]:
    """Return (scale, zero point) of a quantised graph's input."""
    edited = graph.parse(model)
    tensor = edited.subgraphs[0].tensors[edited.subgraphs[0].inputs[0]]
    return float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])


def _named(name: bytes, tensor: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, tensor
    return entry


def _replace_input(model: schema.ModelT, index: int) -> None:
    model.subgraphs[0].inputs[0] = index
    for signature in model.signatureDefs or []:
        signature.inputs[0].tensorIndex = index
