import json

import numpy as np
import pytest

from device_fixtures import FakeEngine, spec
from edge_seg.inspection import delegate_coverage, guess_precision, inspect_model
from edge_seg.runtimes import Operation
from edge_seg.shipped import default_model

# image 0 → CONV (weights 10) → 1 → CONV (weights 11) → 2 → RESIZE → 3 → ADD (with 1) → 4
CHAIN = (
    Operation("CONV_2D", (0, 10), (1,)),
    Operation("CONV_2D", (1, 11), (2,)),
    Operation("RESIZE", (2,), (3,)),
    Operation("ADD", (3, 1), (4,)),
)


@pytest.mark.parametrize(
    ("partitions", "delegated", "left_out"),
    [
        ([], 0, {"CONV_2D": 2, "RESIZE": 1, "ADD": 1}),
        ([((0, 10, 11), (4,))], 4, {}),
        ([((0, 10, 11), (1, 2))], 2, {"RESIZE": 1, "ADD": 1}),
        ([((0, 10, 11), (1, 2)), ((3, 1), (4,))], 3, {"RESIZE": 1}),
    ],
)
def test_coverage_is_what_lies_between_a_partitions_inputs_and_outputs(partitions, delegated, left_out) -> None:
    coverage = delegate_coverage([*CHAIN, *(Operation("DELEGATE", *ends) for ends in partitions)])
    assert (coverage.nodes, coverage.delegated) == (4, delegated)
    assert coverage.partitions == len(partitions)
    assert coverage.left_out == left_out
    assert coverage.share == delegated / 4


@pytest.mark.parametrize(
    ("activation", "weight", "expected"),
    [
        ("float32", "float32", "float32"),
        ("float32", "float16", "float16"),
        ("float32", "int8", "dynamic"),
        ("int8", "int8", "int8"),
        ("uint8", "uint8", "int8"),
    ],
)
def test_precision_is_read_off_activations_and_weights(activation: str, weight: str, expected: str) -> None:
    engine = FakeEngine([spec((1,), name="in")], [spec((1,), name="out")], lambda x: x)
    engine.tensors = tuple(
        spec(
            (1,),
            weight if index >= 10 else activation if index else "uint8",
            name="in" if index == 0 else str(index),
        )
        for index in range(12)
    )
    engine.operations = CHAIN
    assert guess_precision(engine) == expected


def test_the_shipped_model_says_what_it_is() -> None:
    inspection = inspect_model(default_model())
    assert inspection.info is not None
    assert inspection.precision == "int8"
    assert set(inspection.labels) == {"pet", "background", "border"}
    assert inspection.coverage.share > 0.9
    assert inspection.inputs[0].dtype == np.uint8
    assert sum(inspection.operations.values()) == inspection.coverage.nodes
    json.dumps(inspection.info.model_dump(mode="json"))
