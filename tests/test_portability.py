"""A .tflite that all readers understand does what it did."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs ai-edge-litert")

from ai_edge_litert import schema_py_generated as schema

from edge_seg.runtimes import load_engine
from edge_seg_convert import graph
from edge_seg_convert.portability import portable

FLOAT, INT8, INT32 = schema.TensorType.FLOAT32, schema.TensorType.INT8, schema.TensorType.INT32


def transposed_convolution(kind: int = FLOAT) -> schema.ModelT:
    """A graph of one 2×2 transposed convolution with stride 2, bias and a fused ReLU, as TensorFlow writes it."""
    model, subgraph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.subgraphs, model.operatorCodes = 3, [schema.BufferT()], [subgraph], []
    subgraph.tensors, subgraph.operators, subgraph.inputs, subgraph.outputs = [], [], [0], [4]
    graph.add_tensor(model, "image", [1, 3, 3, 1], kind)
    graph.add_tensor(model, "shape", [4], INT32, data=np.array([1, 6, 6, 2], np.int32))
    weights = np.random.default_rng(0).normal(size=(2, 2, 2, 1)).astype(np.float32)
    graph.add_tensor(model, "weights", weights.shape, kind, data=weights.ravel())
    graph.add_tensor(model, "bias", [2], kind, data=np.array([0.1, -0.2], np.float32))
    graph.add_tensor(model, "up", [1, 6, 6, 2], kind)
    operation = graph.make_operation(model, schema.BuiltinOperator.TRANSPOSE_CONV, [4], [1, 2, 0, 3])
    operation.builtinOptionsType = schema.BuiltinOptions.TransposeConvOptions
    operation.builtinOptions = schema.TransposeConvOptionsT()
    operation.builtinOptions.strideW = operation.builtinOptions.strideH = 2
    operation.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU
    subgraph.operators.append(operation)
    model.operatorCodes[0].version = 4
    return model


def operations(model: bytes) -> list[int]:
    parsed = graph.parse(model)
    return [graph.operation_code(parsed, operation) for operation in parsed.subgraphs[0].operators]


def run(model: bytes, folder: Path) -> np.ndarray:
    path = folder / "model.tflite"
    path.write_bytes(model)
    engine = load_engine(path)
    engine.set_input(np.random.default_rng(1).normal(size=(1, 3, 3, 1)).astype(np.float32))
    engine.invoke()
    return engine.output()


def test_relu_of_a_transposed_convolution_stands_alone(tmp_path: Path) -> None:
    fused = graph.serialise(transposed_convolution())
    separate = portable(fused)
    assert operations(separate) == [schema.BuiltinOperator.TRANSPOSE_CONV, schema.BuiltinOperator.RELU]
    before, after = run(fused, tmp_path), run(separate, tmp_path)
    assert (before == 0).any(), "the ReLU had nothing to do"
    assert np.array_equal(before, after)
    assert operations(portable(separate)) == operations(separate)


def test_relu_of_a_quantised_one_stays() -> None:
    """Its lowest number stands for 0."""
    assert operations(portable(graph.serialise(transposed_convolution(INT8)))) == [
        schema.BuiltinOperator.TRANSPOSE_CONV
    ]


@pytest.mark.parametrize("code", [schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.PACK, 200])
def test_older_field_names_the_operation_too(code: int) -> None:
    model = transposed_convolution()
    model.operatorCodes[0].builtinCode, model.operatorCodes[0].deprecatedBuiltinCode = code, 0
    (known,) = graph.parse(portable(graph.serialise(model))).operatorCodes
    assert (known.builtinCode, known.deprecatedBuiltinCode) == (code, min(code, 127))
