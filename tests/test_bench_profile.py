"""Profiles: from LiteRT's events to operations, and one real profile of the shipped model."""

from pathlib import Path

import pytest

from edge_seg.errors import BenchmarkError
from edge_seg.runtimes import load_engine
from edge_seg.shipped import default_model
from edge_seg_bench.litert_profiler import BUILT_IN, DELEGATED
from edge_seg_bench.profile import (
    SHOWN_OPERATIONS,
    XNNPACK,
    Node,
    deviation,
    match_operators,
    measure_profile,
    operation_times,
    profile_of,
)
from edge_seg_bench.results import OperationTime, Profile
from edge_seg_bench.work import running_nodes
from small_graphs import SmallGraph

GEMM = "Fully Connected (NC, QS8, QC8W) GEMM"
DEPTHWISE = "Convolution (NHWC, QC8) DWConv"
COPY, CONVERT, ADD = "Copy (NC, X8)", "Convert (NC)", "Add (ND)"


def nodes(*kinds: str) -> list[Node]:
    return [Node(index, kind, f"net/{index}") for index, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("operators", "kinds", "expected"),
    [
        ([GEMM, DEPTHWISE, ADD], ["CONV_2D", "DEPTHWISE_CONV_2D", "ADD"], [0, 1, 2]),
        ([GEMM, COPY, COPY, GEMM], ["CONV_2D", "CONCATENATION", "CONV_2D"], [0, 1, 1, 2]),
        ([CONVERT, COPY], ["QUANTIZE", "CONCATENATION"], [0, 1]),
        ([GEMM, CONVERT, GEMM], ["CONV_2D", "CONV_2D"], [0, None, 1]),
        ([GEMM, GEMM], ["CONV_2D", "RELU6", "RESHAPE", "FULLY_CONNECTED"], [0, 3]),
        (["Something New (NC)", GEMM], ["CONV_2D"], [None, 0]),
        ([GEMM], ["CONV_2D", "RELU"], [0]),
    ],
    ids=["one each", "copy per input", "convert is a node", "put in", "folded", "unknown", "folded at the end"],
)
def test_match_operators(operators: list[str], kinds: list[str], expected: list[int | None]) -> None:
    matched = match_operators(operators, nodes(*kinds))
    assert matched is not None
    assert [node and node.index for node in matched] == expected


@pytest.mark.parametrize(
    ("operators", "kinds"),
    [([GEMM], ["CONV_2D", "CONV_2D"]), ([ADD, GEMM], ["CONV_2D", "ADD"]), ([COPY], ["ADD"])],
    ids=["one node too many", "another order", "another operator"],
)
def test_no_match_is_guessed(operators: list[str], kinds: list[str]) -> None:
    assert match_operators(operators, nodes(*kinds)) is None


def run(quantize_us: int, gemm_us: int, depthwise_us: int) -> list[tuple[str, int, int, int]]:
    return [
        ("Invoke", 1, 0, 999),
        ("QUANTIZE", BUILT_IN, 0, quantize_us),
        (GEMM, DELEGATED, 0, gemm_us),
        (DEPTHWISE, DELEGATED, 1, depthwise_us),
        ("Invoke", 32, -1, 1 << 32),
    ]


def test_operation_times() -> None:
    graph = [Node(0, "QUANTIZE", "image"), Node(1, "CONV_2D", "a/b/c/Relu6;d/e"), Node(2, "DEPTHWISE_CONV_2D", "f")]
    runs = [run(40, 49, 9), run(40, 49, 9), run(40, 50, 9), run(90, 900, 1000)]  # in the last, something came between
    times = operation_times(runs, graph)
    assert [(item.name, item.kind, item.delegate) for item in times] == [
        ("image", "QUANTIZE", None),
        ("b/c/Relu6", "CONV_2D", XNNPACK),
        ("f", "DEPTHWISE_CONV_2D", XNNPACK),
    ]
    assert [item.ms for item in times] == pytest.approx([0.040, 0.050, 0.0095])  # half a microsecond was cut off
    assert sum(item.share for item in times) == pytest.approx(1)


def test_operators_without_nodes_keep_their_own_words() -> None:
    times = operation_times([run(1, 2, 3)], [Node(0, "QUANTIZE", "image"), Node(1, "ADD", "sum")])
    assert [(item.name, item.kind) for item in times] == [
        ("image", "QUANTIZE"),
        ("operator 0", GEMM),
        ("operator 1", DEPTHWISE),
    ]


def test_the_event_around_a_delegate_is_not_counted_twice() -> None:
    around = ("TfLiteXNNPackDelegate", BUILT_IN, 3, 60)
    times = operation_times([[around, *run(40, 49, 9)]], nodes("QUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D"))
    assert len(times) == 3


@pytest.mark.parametrize("runs", [[[]], [run(1, 2, 3), run(1, 2, 3)[:-2]]], ids=["nothing", "different runs"])
def test_no_profile_of_such_runs(runs: list[list[tuple[str, int, int, int]]]) -> None:
    with pytest.raises(BenchmarkError, match="no profile"):
        operation_times(runs, nodes("QUANTIZE"))


def test_a_profile_keeps_the_longest_and_the_time_of_all() -> None:
    times = [OperationTime(name=str(ms), kind="ADD", ms=ms, share=ms / 78, delegate=None) for ms in range(1, 13)]
    profile = profile_of(times, runtime="litert", threads=1)
    assert [item.ms for item in profile.operations] == list(range(12, 2, -1))
    assert profile.total_ms == 78
    assert deviation(profile, 75.0) == pytest.approx(0.04)


@pytest.mark.parametrize("threads", [1, 2])
def test_shipped_model(threads: int) -> None:
    path = default_model()
    profile = measure_profile(path, runtime="litert", threads=threads)
    kinds = {node.name for node in running_nodes(load_engine(path)).values()}
    assert (profile.runtime, profile.threads, len(profile.operations)) == ("litert", threads, SHOWN_OPERATIONS)
    assert {item.kind for item in profile.operations} <= kinds
    assert {item.delegate for item in profile.operations} <= {XNNPACK, None}
    assert 0.1 < sum(item.share for item in profile.operations) < 1
    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_a_float_graph(tmp_path: Path) -> None:
    import numpy as np

    graph = SmallGraph(32, 32, 8)
    kernel = np.ones((8, 3, 3, 8), np.float32)
    one = graph.convolution(graph.image, kernel, np.zeros(8, np.float32))
    path = tmp_path / "small.tflite"
    path.write_bytes(graph.finished(graph.pooled(graph.joined(one, graph.image), 0)))
    profile = measure_profile(path, runtime="litert", threads=1)
    assert {item.kind for item in profile.operations} == {"CONV_2D", "CONCATENATION", "MAX_POOL_2D"}


def test_tflite_runtime_has_none() -> None:
    with pytest.raises(BenchmarkError, match="no profile in tflite_runtime"):
        measure_profile(default_model(), runtime="tflite_runtime", threads=1)


def test_a_broken_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(default_model().read_bytes()[:5000])
    with pytest.raises(BenchmarkError, match=r"broken\.tflite|process ended"):
        measure_profile(path, runtime="litert", threads=1)
