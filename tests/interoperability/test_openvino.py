"""OpenVINO reads every .tflite and gives its class map."""

from pathlib import Path

import pytest
from subjects import Subject
from tool_environment import Tool

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

# It adds the same floats in another order (scores differ by 2e-5 at most; measured: 1.0). It computes activations of
# dynamic models in float, which LiteRT quantises in each frame (measured: 0.982 and 0.991), and int8 models in float
# between the roundings (measured: 0.988 to 0.997).
LEAST = {"float32": 0.999, "float16": 0.999, "dynamic": 0.96, "int8": 0.98}


@pytest.fixture(scope="session")
def openvino(pytestconfig: pytest.Config) -> Tool:
    return Tool.install(pytestconfig.cache, "openvino~=2026.4")


def test_class_maps(subject: Subject, openvino: Tool, tmp_path: Path) -> None:
    told = subject.compare(openvino, "openvino_class_maps.py", LEAST, tmp_path)
    assert told == {"input": "u8", "shape": [1, *subject.pictures.shape[1:]]}
