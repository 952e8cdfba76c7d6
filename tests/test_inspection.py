import zipfile
from pathlib import Path

import numpy as np
import pytest

from device_fixtures import FakeEngine, spec
from edge_seg.errors import ModelError
from edge_seg.inspection import delegate_coverage, guess_precision, inspect_model
from edge_seg.model_info import INFO_FILE, LABELS_FILE, read_model_info, read_packed_file
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


@pytest.fixture
def packed(tmp_path: Path) -> bytearray:
    with zipfile.ZipFile(tmp_path / "packed", "w") as archive:
        archive.writestr(LABELS_FILE, "a\nb\n")
        archive.writestr(INFO_FILE, "{}")
    return bytearray((tmp_path / "packed").read_bytes())


DIRECTORY = b"PK\x01\x02"  # the archive's first directory entry; flags are 8 bytes into it, the method 10


@pytest.mark.parametrize(("offset", "value", "says"), [(8, 1, "encrypted"), (10, 99, "compression method")])
def test_packed_files_that_cannot_be_unpacked_are_one_sentence(
    tmp_path: Path, packed: bytearray, offset: int, value: int, says: str
) -> None:
    packed[packed.index(DIRECTORY) + offset] = value
    (tmp_path / "m.tflite").write_bytes(packed)
    with pytest.raises(ModelError, match=rf"m\.tflite: its labels\.txt is damaged .*{says}"):
        read_packed_file(tmp_path / "m.tflite", LABELS_FILE)


def test_a_description_that_is_cut_off_is_not_taken_for_none(tmp_path: Path, packed: bytearray) -> None:
    (tmp_path / "m.tflite").write_bytes(packed[:-10])
    with pytest.raises(ModelError, match=r"m\.tflite: its metadata is cut off"):
        read_model_info(tmp_path / "m.tflite")
