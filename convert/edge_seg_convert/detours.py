"""Float detours that litert-quantizer leaves in an int8 graph around operations it does not know."""

from collections.abc import Iterable
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edge_seg_convert import graph

_OP = schema.BuiltinOperator


def without_float_detours(model: bytes) -> bytes:
    """Let DEPTH_TO_SPACE move int8 values themselves, instead of DEQUANTIZE, DEPTH_TO_SPACE, QUANTIZE.

    It only moves values, so the result is the same bit for bit where both ends have one scale; where they have
    not, or the values are read as float too, the graph is left as it is.
    """
    edited = graph.parse(model)
    main = edited.subgraphs[0]
    for operation in list(main.operators):
        if graph.operation_code(edited, operation) == _OP.DEPTH_TO_SPACE:
            _shorten(edited, operation)
    graph.drop_unused(edited)
    return graph.serialise(edited)


def _shorten(model: schema.ModelT, operation: Any) -> None:
    main = model.subgraphs[0]
    before = [item for item in main.operators if operation.inputs[0] in item.outputs]
    after = [item for item in main.operators if operation.outputs[0] in item.inputs]
    if not (_all_are(model, before, _OP.DEQUANTIZE) and _all_are(model, after, _OP.QUANTIZE)):
        return
    source = before[0].inputs[0]
    results = [item.outputs[0] for item in after]
    if operation.outputs[0] in main.outputs or set(results[1:]) & set(main.outputs):
        return
    if any(_quantisation(model, index) != _quantisation(model, source) for index in results):
        return
    operation.inputs, operation.outputs = [source], [results[0]]
    for item in main.operators:
        item.inputs = [results[0] if index in results else index for index in item.inputs]
    readers = [item for item in main.operators if before[0].outputs[0] in item.inputs]
    removed = after if readers else [*after, *before]
    main.operators = [item for item in main.operators if not any(item is gone for gone in removed)]


def _all_are(model: schema.ModelT, operations: Iterable[Any], code: int) -> bool:
    codes = {graph.operation_code(model, operation) for operation in operations}
    return codes == {code}


def _quantisation(model: schema.ModelT, index: int) -> tuple[list[float], list[int]]:
    quantization = model.subgraphs[0].tensors[index].quantization
    return [float(value) for value in quantization.scale], [int(value) for value in quantization.zeroPoint]
