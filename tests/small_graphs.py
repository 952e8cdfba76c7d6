"""Float32 graphs of a few operations, built without TensorFlow, and running them."""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edge_seg.runtimes import load_engine
from edge_seg_convert import graph
from edge_seg_convert.graph_ends import with_signature

OP = schema.BuiltinOperator
RELU, RELU6, LINEAR = (
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
    schema.ActivationFunctionType.NONE,
)


class SmallGraph:
    """Operations one after another on one image; each method returns the tensor it makes."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = [], []
        self.model.subgraphs = [subgraph]
        self.image = self._activation("image", (1, height, width, channels))
        subgraph.inputs = [self.image]

    def convolution(
        self, source: int, weights: NDArray[np.float32], bias: NDArray[np.float32], activation: int = LINEAR
    ) -> int:
        """Convolve 'same', stride 1; weights [output, height, width, input]."""
        options = schema.Conv2DOptionsT()
        options.padding, options.fusedActivationFunction = schema.Padding.SAME, activation
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        return self._convolve(OP.CONV_2D, [source], weights, bias, options, self._size(source), len(weights))

    def depthwise(
        self, source: int, weights: NDArray[np.float32], bias: NDArray[np.float32], activation: int = LINEAR
    ) -> int:
        """Convolve each channel, 'same', stride 1; weights [1, height, width, channels]."""
        options = schema.DepthwiseConv2DOptionsT()
        options.padding, options.fusedActivationFunction, options.depthMultiplier = schema.Padding.SAME, activation, 1
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        channels = weights.shape[3]
        return self._convolve(OP.DEPTHWISE_CONV_2D, [source], weights, bias, options, self._size(source), channels)

    def transposed(
        self, source: int, weights: NDArray[np.float32], bias: NDArray[np.float32] | None, stride: int, **size: int
    ) -> int:
        """Convolve transposed, 'same'; weights [output, height, width, input]; `size` overrides height, width."""
        height, width = self._size(source)
        out = size.get("height", height * stride), size.get("width", width * stride)
        shape = self.constant("shape", np.array([1, *out, len(weights)], np.int32))
        options = schema.TransposeConvOptionsT()
        options.padding, options.strideH, options.strideW = schema.Padding.SAME, stride, stride
        kernel = self.constant("kernel", weights)
        inputs = [shape, kernel, source] + ([] if bias is None else [self.constant("bias", bias)])
        return self._append(OP.TRANSPOSE_CONV, inputs, (1, *out, len(weights)), options)

    def joined(self, *sources: int) -> int:
        """Concatenate channels."""
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        channels = sum(self.model.subgraphs[0].tensors[source].shape[3] for source in sources)
        return self._append(OP.CONCATENATION, list(sources), (1, *self._size(sources[0]), channels), options)

    def pooled(self, source: int, activation: int) -> int:
        """Take the largest of 3×3, 'same', stride 1."""
        options = schema.Pool2DOptionsT()
        options.padding, options.fusedActivationFunction = schema.Padding.SAME, activation
        options.strideH = options.strideW = 1
        options.filterHeight = options.filterWidth = 3
        shape = self.model.subgraphs[0].tensors[source].shape
        return self._append(OP.MAX_POOL_2D, [source], shape, options)

    def added(self, one: int, other: int) -> int:
        """Add two tensors."""
        shape = self.model.subgraphs[0].tensors[one].shape
        return self._append(OP.ADD, [one, other], shape, schema.AddOptionsT())

    def from_bytes(self) -> int:
        """Make the image uint8; return it as float32."""
        image = self.model.subgraphs[0].tensors[self.image]
        image.type = schema.TensorType.UINT8
        return self._append(OP.CAST, [self.image], image.shape, schema.CastOptionsT())

    def finished(self, output: int) -> bytes:
        """Return the model, `output` its output, with a signature."""
        self.model.subgraphs[0].outputs = [output]
        return with_signature(graph.serialise(self.model))

    def constant(self, name: str, values: NDArray[Any]) -> int:
        """Add a constant under a name of its own."""
        kind = {"int32": schema.TensorType.INT32, "float32": schema.TensorType.FLOAT32}[values.dtype.name]
        return graph.add_tensor(self.model, self._unique(name), values.shape, kind, data=values)

    def name(self, tensor: int) -> str:
        """Return a tensor's name."""
        return graph.tensor_name(self.model, tensor)

    def _convolve(
        self,
        code: int,
        inputs: list[int],
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        options: Any,
        size: tuple[int, int],
        channels: int,
    ) -> int:
        inputs += [self.constant("weights", weights), self.constant("bias", bias)]
        return self._append(code, inputs, (1, *size, channels), options)

    def _append(self, code: int, inputs: list[int], shape: Any, options: Any) -> int:
        output = self._activation(self._unique("activation"), shape)
        operation = graph.make_operation(self.model, code, [output], inputs, options)
        self.model.subgraphs[0].operators.append(operation)
        return output

    def _activation(self, name: str, shape: Any) -> int:
        return graph.add_tensor(self.model, name, shape, schema.TensorType.FLOAT32)

    def _unique(self, name: str) -> str:
        return f"{name}_{len(self.model.subgraphs[0].tensors)}"

    def _size(self, tensor: int) -> tuple[int, int]:
        _, height, width, _ = self.model.subgraphs[0].tensors[tensor].shape
        return int(height), int(width)


def run(model: bytes, tensor: NDArray[Any], folder: Path) -> NDArray[Any]:
    """Run a model in LiteRT."""
    path = folder / "model.tflite"
    path.write_bytes(model)
    engine = load_engine(path)
    engine.set_input(tensor)
    engine.invoke()
    return engine.output()


def operations(model: bytes) -> list[str]:
    """Return the names of a graph's operations, in order."""
    names = {value: name for name, value in vars(OP).items() if isinstance(value, int)}
    parsed = graph.parse(model)
    return [names[graph.operation_code(parsed, item)] for item in parsed.subgraphs[0].operators]
