"""The graphs whose speed is taken for this machine's peak; `python -m edge_seg_bench.peak_graphs` makes the files.

Eight 1 × 1 convolutions of 256 to 256 channels: nothing but a matrix product, in blocks that any cache holds.
The files are shipped, because a device need not have the schema that making them takes.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_seg.files import atomic_path

FOLDER = Path(__file__).parent / "peaks"
PRECISIONS = ("float32", "int8")
_LAYERS, _SIDE, _CHANNELS = 8, 16, 256
_PATTERN = np.linspace(-1, 1, 61)
_WEIGHT_SCALE, _VALUE_SCALE = 0.001, 0.02


def peak_graph(precision: str) -> Path:
    """Return the shipped graph of one of PRECISIONS."""
    return FOLDER / f"{precision}.tflite"


def build(precision: str) -> bytes:
    """Build the .tflite of one of PRECISIONS; needs ai-edge-litert."""
    schema: Any = import_module("ai_edge_litert.schema_py_generated")
    flatbuffer_utils: Any = import_module("ai_edge_litert.tools.flatbuffer_utils")
    whole = precision == "int8"
    shape = [_CHANNELS, 1, 1, _CHANNELS]
    weights: NDArray[np.float64] = np.resize(_PATTERN, shape) / np.sqrt(_CHANNELS)
    stored: NDArray[Any] = np.round(weights / _WEIGHT_SCALE).astype(np.int8) if whole else weights.astype(np.float32)
    bias = np.zeros(_CHANNELS, np.int32 if whole else np.float32)
    kind = schema.TensorType.INT8 if whole else schema.TensorType.FLOAT32
    bias_kind = schema.TensorType.INT32 if whole else schema.TensorType.FLOAT32
    image = [1, _SIDE, _SIDE, _CHANNELS]
    scales = (_WEIGHT_SCALE, _WEIGHT_SCALE * _VALUE_SCALE, _VALUE_SCALE) if whole else (None, None, None)
    tensors = [
        _tensor(schema, "weights", shape, kind, 1, scales[0]),
        _tensor(schema, "bias", [_CHANNELS], bias_kind, 2, scales[1]),
        *(_tensor(schema, f"values_{layer}", image, kind, 0, scales[2]) for layer in range(_LAYERS + 1)),
    ]
    operators = [_convolution(schema, [2 + layer, 0, 1], 3 + layer) for layer in range(_LAYERS)]
    model = _model(schema, tensors, operators, [stored, bias])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _tensor(schema: Any, name: str, shape: list[int], kind: int, buffer: int, scale: float | None) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, shape, kind, buffer
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor


def _convolution(schema: Any, inputs: list[int], output: int) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, inputs, [output]
    options = schema.Conv2DOptionsT()
    options.padding, options.fusedActivationFunction = schema.Padding.SAME, schema.ActivationFunctionType.NONE
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.Conv2DOptions, options
    return operator


def _model(schema: Any, tensors: list[Any], operators: list[Any], constants: list[Any]) -> Any:
    graph, model, code = schema.SubGraphT(), schema.ModelT(), schema.OperatorCodeT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, operators, [2], [len(tensors) - 1]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    code.version = 3  # the first with int8
    model.version, model.description = 3, "edge-seg peak"
    model.operatorCodes, model.subgraphs, model.buffers = [code], [graph], [schema.BufferT()]
    for values in constants:
        buffer = schema.BufferT()
        buffer.data = values.ravel().view(np.uint8)
        model.buffers.append(buffer)
    return model


def main() -> None:
    """Write the files that are shipped."""
    for precision in PRECISIONS:
        with atomic_path(peak_graph(precision)) as path:
            path.write_bytes(build(precision))


if __name__ == "__main__":
    main()
