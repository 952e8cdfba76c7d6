"""What one inference has to do: multiply-accumulates and bytes, counted from the tensors and operations of a graph.

Counted as the papers do (Howard et al., MobileNets, 2017, section 3.1; Sandler et al., MobileNetV2, 2018, table 4):
convolutions and matrix products, products with padding included; additions, activations and resizing are not.
No file format is read: a runtime that has loaded the model tells all that is needed.
"""

from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import Protocol

from edge_seg.inspection import split_nodes
from edge_seg.runtimes import DEFAULT_RUNTIME, Operation, TensorSpec, load_engine
from edge_seg_bench.results import Work

_Shape = tuple[int, ...]


class Graph(Protocol):
    """What counting needs of an Engine."""

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """The model's inputs."""
        ...

    @property
    def tensors(self) -> Sequence[TensorSpec]:
        """All tensors, by index."""
        ...

    @property
    def operations(self) -> Sequence[Operation]:
        """All nodes; delegate nodes at the end are passed over."""
        ...


def count_work(path: Path, *, runtime: str = DEFAULT_RUNTIME) -> Work:
    """Count the work of a .tflite file.

    Raises:
        ModelError: no such file, not a TFLite model, or one that the runtime cannot load.
        MissingExtraError: the runtime is not installed.
    """
    return work_of(load_engine(path, runtime=runtime))


def work_of(graph: Graph) -> Work:
    """Count the work of a loaded model; no operation runs."""
    nodes, _ = split_nodes(graph.operations)
    tensors = graph.tensors
    constants = _constants(nodes, _input_indices(graph))
    running = running_nodes(graph).values()
    stored = {index for node in nodes for index in _read(node)} & constants - _written(nodes)
    touched = [index for node in running for index in {*_read(node), *node.outputs} - constants]
    return Work(
        macs=sum(macs_of(node, tensors) for node in running),
        weight_bytes=sum(_bytes(tensors[index]) for index in stored),
        activation_bytes=sum(_bytes(tensors[index]) for index in touched),
    )


def running_nodes(graph: Graph) -> dict[int, Operation]:
    """Return the file's nodes that every inference runs, by index: all but those that only constants go into."""
    nodes, _ = split_nodes(graph.operations)
    constants = _constants(nodes, _input_indices(graph))
    return {index: node for index, node in enumerate(nodes) if not constants.issuperset(node.outputs)}


def macs_of(node: Operation, tensors: Sequence[TensorSpec]) -> int:
    """Return the multiply-accumulates of one operation, 0 for one that is no matrix product."""
    count = _COUNTS.get(node.name)
    if count is None:
        return 0
    return count([tensors[index].shape for index in _read(node)], tensors[node.outputs[0]].shape)


def _convolution(inputs: Sequence[_Shape], output: _Shape) -> int:
    """Weights [output channels, height, width, input channels of a group]: each output value reads one kernel."""
    return prod(output) * prod(inputs[1][1:])


def _depthwise(inputs: Sequence[_Shape], output: _Shape) -> int:
    """Weights [1, height, width, output channels]."""
    _, height, width, _ = inputs[1]
    return prod(output) * height * width


def _transposed(inputs: Sequence[_Shape], output: _Shape) -> int:
    """Inputs: the output's shape, weights [output channels, height, width, input channels], values.

    Each value meets the kernel of each output channel.
    """
    return prod(inputs[2]) * prod(inputs[1][:3])


def _fully_connected(inputs: Sequence[_Shape], output: _Shape) -> int:
    """Weights [outputs, inputs]."""
    return prod(output) * inputs[1][-1]


def _matrix_product(inputs: Sequence[_Shape], output: _Shape) -> int:
    """Values [..., rows, depth], or [..., depth, rows] when the graph transposes them; output [..., rows, columns]."""
    depth = prod(inputs[0][-2:]) // output[-2]
    return prod(output) * depth


_COUNTS: dict[str, Callable[[Sequence[_Shape], _Shape], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "TRANSPOSE_CONV": _transposed,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrix_product,
}


def _constants(nodes: Sequence[Operation], inputs: set[int]) -> set[int]:
    """Return the tensors that are the same in every inference.

    What is made of constants alone is one: float16 weights are widened once, at loading.
    """
    constants = {index for node in nodes for index in _read(node)} - _written(nodes) - inputs
    for node in nodes:
        read = _read(node)
        if read and constants.issuperset(read):
            constants.update(node.outputs)
    return constants


def _input_indices(graph: Graph) -> set[int]:
    return {index for index, spec in enumerate(graph.tensors) if spec in graph.inputs}


def _read(node: Operation) -> list[int]:
    """Return the tensors that an operation reads; −1 stands for one that is left out, such as a bias."""
    return [index for index in node.inputs if index >= 0]


def _written(nodes: Sequence[Operation]) -> set[int]:
    return {index for node in nodes for index in node.outputs}


def _bytes(spec: TensorSpec) -> int:
    return prod(spec.shape) * spec.dtype.itemsize
