"""ONNX Runtime runs every model through tf2onnx and gives its class map."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from subjects import Subject, edge_seg
from tool_environment import Tool

from edge_seg.model_info import read_labels

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

# It adds the same floats in another order (scores differ by 2e-5 at most; measured: 1.0). It computes activations of
# dynamic models in float, which LiteRT quantises in each frame (measured: 0.982 and 0.991), and int8 models with other
# rounding (measured: 0.997 to 0.999).
LEAST = {"float32": 0.999, "float16": 0.999, "dynamic": 0.96, "int8": 0.99}


@pytest.fixture(scope="session")
def onnxruntime(pytestconfig: pytest.Config) -> Tool:
    return Tool.install(pytestconfig.cache, "tf2onnx~=1.17", "tensorflow-cpu~=2.21", "onnxruntime~=1.32")


def test_class_maps(subject: Subject, onnxruntime: Tool, tmp_path: Path) -> None:
    told = subject.compare(onnxruntime, "onnxruntime_class_maps.py", LEAST, tmp_path)
    assert (told["input"], told["shape"]) == ("tensor(uint8)", [1, *subject.pictures.shape[1:]])


@pytest.mark.parametrize("subject", ["separable_float32", "transpose_float32"], indirect=True)
def test_our_own_conversion_to_onnx(subject: Subject, onnxruntime: Tool, tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx", reason="needs edge-seg[onnx]")
    decoder = subject.model.stem.partition("_")[0]
    edge_seg("convert", subject.model.parents[1] / decoder, "--out", tmp_path, "--to", "onnx")
    assert {path.name for path in tmp_path.iterdir()} == {f"{decoder}.onnx", "conversion.json"}
    summary = json.loads((tmp_path / "conversion.json").read_text())
    assert summary["onnx"]["agreement_with_float32"] > 0.999
    ours = replace(subject, model=tmp_path / f"{decoder}.onnx")
    told = ours.compare(onnxruntime, "onnxruntime_class_maps.py", LEAST, tmp_path)
    assert told == {
        "input": "tensor(uint8)",
        "shape": [1, *subject.pictures.shape[1:]],
        "labels": "\n".join(read_labels(subject.model)),
    }
