"""What a converted model must not be, and what is said then."""

from dataclasses import replace

import pytest

pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg.inspection import DelegateCoverage
from edge_seg.metrics import Scores
from edge_seg_convert.obstacles import FAILING_DROP, obstacle
from edge_seg_convert.results import Converted
from edge_seg_convert.verification import Verified


def verified(drop: float) -> Verified:
    return Verified(Scores((0.7 - drop,), 0.9), Scores((0.7,), 0.9), 0.99, 10)


OVERFLOWED = Verified(Scores((0.8,), 0.9), Scores((0.7,), 0.9), 0.169, 10)
WHOLE = DelegateCoverage(nodes=10, delegated=9, partitions=1, left_out={"QUANTIZE": 1})
MADE = Converted("int8", None, 1000, latency_ms=5.0, slowdown=0.4, verified=verified(0.001), coverage=WHOLE)


@pytest.mark.parametrize(
    ("model", "transposed", "words"),
    [
        (MADE, 5, None),
        (
            replace(MADE, precision="float16", verified=OVERFLOWED),
            0,
            "Keras's class to 16.9 % of the pixels only",
        ),
        (replace(MADE, verified=OVERFLOWED), 0, None),
        (replace(MADE, verified=None), 0, None),
        (replace(MADE, verified=verified(FAILING_DROP + 0.001)), 0, "3.1 points of mIoU below Keras"),
        (replace(MADE, target_drop=0.0005), 0, "still loses 0.10 points of mIoU, more than the 0.05 wanted"),
        (replace(MADE, target_drop=0.002), 0, None),
        (replace(MADE, precision="dynamic"), 0, None),
        (
            replace(MADE, precision="dynamic", latency_ms=2100.0, slowdown=70.0),
            5,
            "has transposed convolutions (5), which tflite_runtime 2.14 cannot load in dynamic range and older "
            "runtimes compute in seconds (2,100.00 ms a frame here, 70.0 times as long as float32); leave out",
        ),
    ],
)
def test_obstacles(model: Converted, transposed: int, words: str | None) -> None:
    said = obstacle(model, transposed=transposed, rewriting="off")
    assert (said is None) == (words is None)
    assert words is None or words in str(said)
