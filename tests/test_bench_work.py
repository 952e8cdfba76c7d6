"""Multiply-accumulates and bytes of graphs whose figures are worked out by hand, or published."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from edge_seg.runtimes import Operation, TensorSpec, load_engine
from edge_seg.shipped import shipped_model
from edge_seg_bench.results import Work
from edge_seg_bench.work import count_work, macs_of, work_of
from small_graphs import SmallGraph


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def one_convolution(graph: SmallGraph) -> int:
    return graph.convolution(graph.image, zeros(5, 3, 3, 2), zeros(5))


def one_depthwise(graph: SmallGraph) -> int:
    return graph.depthwise(graph.image, zeros(1, 3, 3, 2), zeros(2))


def one_transposed(graph: SmallGraph) -> int:
    return graph.transposed(graph.image, zeros(7, 2, 2, 2), zeros(7), stride=2)


def a_residual(graph: SmallGraph) -> int:
    middle = graph.convolution(graph.image, zeros(2, 1, 1, 2), zeros(2))
    return graph.added(graph.image, middle)


# Images of 4 × 6 pixels and 2 channels, 48 float32 values: 192 bytes.
GRAPHS = [
    pytest.param(one_convolution, 4 * 6 * 5 * 18, (90 + 5) * 4, 192 + 4 * 6 * 5 * 4, id="convolution"),
    pytest.param(one_depthwise, 4 * 6 * 2 * 9, (18 + 2) * 4, 192 + 192, id="depthwise"),
    # The output's shape is a constant of 4 int32; the output has 8 × 12 pixels of 7 channels.
    pytest.param(one_transposed, 48 * 7 * 4, (56 + 7 + 4) * 4, 192 + 8 * 12 * 7 * 4, id="transposed"),
    # The image is read twice, the convolution's result is written and read.
    pytest.param(a_residual, 4 * 6 * 2 * 2, (4 + 2) * 4, 5 * 192, id="residual"),
]


@pytest.mark.parametrize(("build", "macs", "weight_bytes", "activation_bytes"), GRAPHS)
def test_work_of_small_graphs(build, macs: int, weight_bytes: int, activation_bytes: int, tmp_path: Path) -> None:
    graph = SmallGraph(4, 6, 2)
    path = tmp_path / "small.tflite"
    path.write_bytes(graph.finished(build(graph)))
    expected = Work(macs=macs, weight_bytes=weight_bytes, activation_bytes=activation_bytes)
    assert count_work(path) == expected
    assert work_of(load_engine(path, delegate=False)) == expected


def spec(*shape: int, dtype: str = "float32", name: str = "") -> TensorSpec:
    return TensorSpec(name, shape, np.dtype(dtype), 0.0, 0)


@pytest.mark.parametrize(
    ("name", "inputs", "output", "macs"),
    [
        ("FULLY_CONNECTED", [(3, 20), (10, 20)], (3, 10), 600),
        ("FULLY_CONNECTED", [(1, 4, 5), (10, 20)], (1, 10), 200),
        ("BATCH_MATMUL", [(2, 3, 4), (2, 4, 5)], (2, 3, 5), 120),
        ("BATCH_MATMUL", [(2, 4, 3), (2, 4, 5)], (2, 3, 5), 120),
        ("CONV_2D", [(1, 8, 8, 6), (4, 3, 3, 3)], (1, 8, 8, 4), 8 * 8 * 4 * 27),
        ("ADD", [(1, 8), (1, 8)], (1, 8), 0),
    ],
    ids=["matrix", "flattened", "batches", "transposed batches", "groups", "no product"],
)
def test_macs_of_operations(name: str, inputs: list[tuple[int, ...]], output: tuple[int, ...], macs: int) -> None:
    tensors = [*(spec(*shape) for shape in inputs), spec(*output)]
    assert macs_of(Operation(name, tuple(range(len(inputs))), (len(inputs),)), tensors) == macs


@dataclass
class Table:
    """A graph of which only shapes are known."""

    tensors: list[TensorSpec] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    inputs: tuple[TensorSpec, ...] = ()

    def add(self, *shape: int, dtype: str = "float32") -> int:
        self.tensors.append(spec(*shape, dtype=dtype, name=f"tensor {len(self.tensors)}"))
        return len(self.tensors) - 1

    def node(self, name: str, sources: tuple[int, ...], *shape: int) -> int:
        self.operations.append(Operation(name, sources, (self.add(*shape),)))
        return len(self.tensors) - 1


def test_widened_weights_are_neither_work_nor_activations() -> None:
    table = Table()
    image = table.add(1, 4, 4, 2)
    table.inputs = (table.tensors[image],)
    weights = table.node("DEQUANTIZE", (table.add(3, 1, 1, 2, dtype="float16"),), 3, 1, 1, 2)
    table.node("CONV_2D", (image, weights, -1), 1, 4, 4, 3)
    assert work_of(table) == Work(macs=16 * 3 * 2, weight_bytes=12, activation_bytes=16 * 2 * 4 + 16 * 3 * 4)


# Sandler et al. 2018, table 2: expansion, channels, repetitions, first stride.
MOBILENET_V2 = [
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
]  # fmt: skip


def mobilenet_v2() -> Table:
    """The classifier for 224 × 224 pixels and 1000 classes; biases are left out."""
    table = Table()
    last = table.add(1, 224, 224, 3)
    table.inputs = (table.tensors[last],)

    def convolve(source: int, name: str, size: int, kernel: tuple[int, ...], channels: int) -> int:
        return table.node(name, (source, table.add(*kernel)), 1, size, size, channels)

    size, width = 112, 32
    last = convolve(last, "CONV_2D", size, (32, 3, 3, 3), 32)
    for expansion, channels, repetitions, first_stride in MOBILENET_V2:
        for stride in [first_stride] + [1] * (repetitions - 1):
            inner = width * expansion
            if expansion > 1:
                last = convolve(last, "CONV_2D", size, (inner, 1, 1, width), inner)
            size //= stride
            last = convolve(last, "DEPTHWISE_CONV_2D", size, (1, 3, 3, inner), inner)
            last = convolve(last, "CONV_2D", size, (channels, 1, 1, inner), channels)
            width = channels
    last = convolve(last, "CONV_2D", size, (1280, 1, 1, 320), 1280)
    pooled = table.node("MEAN", (last,), 1, 1280)
    table.node("FULLY_CONNECTED", (pooled, table.add(1000, 1280)), 1, 1000)
    return table


def test_mobilenet_v2_has_the_published_300_million() -> None:
    work = work_of(mobilenet_v2())
    assert round(work.macs / 1e6) == 301  # "300 M" in table 4
    assert round(work.weight_bytes / 4 / 1e6, 1) == 3.5  # "3.4 M" parameters there; biases come on top here


def test_shipped_model() -> None:
    path = shipped_model("pets-accurate")
    work = count_work(path)
    assert 0.8 * path.stat().st_size < work.weight_bytes < path.stat().st_size
    assert work.macs > 10 * work.activation_bytes
