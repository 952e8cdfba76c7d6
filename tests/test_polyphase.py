"""A rewritten transposed convolution is the same function."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg.errors import ConversionError
from edge_seg_convert.polyphase import count_transposed, rewrite, taps_of_phases
from small_graphs import SmallGraph, operations, run

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "taps"),
    [
        (3, 2, 0, [{-1: 2, 0: 0}, {0: 1}]),
        (2, 2, 0, [{0: 0}, {0: 1}]),
        (4, 2, 1, [{-1: 3, 0: 1}, {0: 2, 1: 0}]),
        (3, 3, 0, [{0: 0}, {0: 1}, {0: 2}]),
    ],
)
def test_taps_are_divided_among_the_phases(kernel: int, stride: int, pad: int, taps: list[dict[int, int]]) -> None:
    assert taps_of_phases(kernel, stride, pad) == taps


@pytest.mark.parametrize("channels", [3, 8, 20], ids=["one-convolution", "fewest-apart", "apart"])
@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (4, 2), (5, 2), (3, 3), (4, 3), (8, 4)])
@pytest.mark.parametrize("has_bias", [True, False], ids=["bias", "no-bias"])
def test_rewritten_graph_gives_the_same(
    kernel: int, stride: int, channels: int, has_bias: bool, tmp_path: Path
) -> None:
    small = SmallGraph(5, 7, 6)
    bias = numbers(channels) if has_bias else None
    model = small.finished(small.transposed(small.image, numbers(channels, kernel, kernel, 6), bias, stride))
    rewritten = rewrite(model, "on")
    assert "TRANSPOSE_CONV" not in operations(rewritten)
    image = numbers(1, 5, 7, 6)
    expected = run(model, image, tmp_path)
    assert np.abs(run(rewritten, image, tmp_path) - expected).max() < 1e-5 * np.abs(expected).max()


def test_phases_cost_no_more_multiplications_than_the_original() -> None:
    small = SmallGraph(4, 4, 6)
    model = small.finished(small.transposed(small.image, numbers(16, 3, 3, 6), None, 2))
    assert operations(rewrite(model, "auto")).count("CONV_2D") == 4
    assert len(rewrite(model, "auto")) < len(model) + 3000


def test_off_changes_nothing() -> None:
    small = SmallGraph(4, 4, 6)
    model = small.finished(small.transposed(small.image, numbers(16, 3, 3, 6), None, 2))
    assert rewrite(model, "off") is model
    assert count_transposed(model) == 1
    assert count_transposed(rewrite(model, "auto")) == 0


@pytest.mark.parametrize(
    ("kernel", "stride", "size", "reason"),
    [
        (3, 1, {}, "its stride is 1"),
        (3, 2, {"height": 9, "width": 9}, "its output [9, 9] is not 2 times its input [5, 5]"),
        (2, 3, {}, "its 2×2 kernel is smaller than its stride 3"),
    ],
)
def test_what_cannot_be_rewritten_stays_or_is_refused(
    kernel: int, stride: int, size: dict[str, int], reason: str
) -> None:
    small = SmallGraph(5, 5, 6)
    model = small.finished(small.transposed(small.image, numbers(8, kernel, kernel, 6), None, stride, **size))
    assert count_transposed(rewrite(model, "auto")) == 1
    with pytest.raises(ConversionError) as refused:
        rewrite(model, "on")
    assert f"({reason})" in str(refused.value)
