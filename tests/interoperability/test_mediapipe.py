"""MediaPipe Tasks' ImageSegmenter opens every model unchanged, shows its labels and gives its class map.

Needs libEGL, libGLESv2 and libGL of the system (Debian: libegl1 libgles2 libgl1).
"""

from pathlib import Path
from typing import Any

import pytest
from subjects import Subject
from tool_environment import Tool

from edge_seg.model_info import INFO_FILE, LABELS_FILE, read_labels, read_model_info
from edge_seg.runtimes import load_engine

pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs ai-edge-litert")

from edge_seg_convert import graph
from edge_seg_convert.graph_ends import with_class_map_output
from edge_seg_convert.metadata import pack

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1800)]

# Its float kernels are LiteRT's. Its int8 kernels round otherwise than any of LiteRT's own three sets, by up to 3 of
# 255 steps of a score; measured: 0.9979 to 0.9997.
LEAST = {"float32": 1.0, "float16": 1.0, "dynamic": 1.0, "int8": 0.995}


@pytest.fixture(scope="session")
def mediapipe(pytestconfig: pytest.Config) -> Tool:
    return Tool.install(pytestconfig.cache, "mediapipe~=1.2")


def test_class_maps_labels_and_shares(subject: Subject, mediapipe: Tool, tmp_path: Path) -> None:
    told = subject.compare(mediapipe, "mediapipe_class_maps.py", LEAST, tmp_path)
    assert tuple(told["labels"]) == read_labels(subject.model)
    assert told["lowest"] >= 0
    assert told["sum_error"] < 1e-5, "confidence masks are shares: they add up to 1"


def metadata(model: bytes, mediapipe: Tool, folder: Path) -> dict[str, Any]:
    parsed = graph.parse(model)
    (entry,) = [known for known in parsed.metadata if known.name == b"TFLITE_METADATA"]
    (folder / "metadata").write_bytes(bytes(bytearray(parsed.buffers[entry.buffer].data)))
    return mediapipe.script("mediapipe_metadata.py", folder / "metadata")


def test_metadata_by_the_published_schema(subject: Subject, mediapipe: Tool, tmp_path: Path) -> None:
    told = metadata(subject.model.read_bytes(), mediapipe, tmp_path)
    info = read_model_info(subject.model)
    assert info is not None
    assert (told["name"], told["license"], told["minParserVersion"]) == (info.name, info.data.licence, "1.5.0")
    assert [(file["name"], file["type"]) for file in told["associatedFiles"]] == [(INFO_FILE, 1)]  # DESCRIPTIONS
    (subgraph,) = told["subgraphMetadata"]
    (image,), (scores,) = subgraph["inputTensorMetadata"], subgraph["outputTensorMetadata"]
    size = {"width": info.input_width, "height": info.input_height}
    assert image["content"]["contentPropertiesType"] == 2  # ImageProperties
    assert image["content"]["contentProperties"] == {"colorSpace": 1, "defaultSize": size}  # RGB
    assert image["stats"] == {"max": [255.0], "min": [0.0]}
    assert scores["content"] == {
        "contentPropertiesType": 2,
        "contentProperties": {"colorSpace": 2},  # GRAYSCALE
        "range": {"min": 1, "max": 2},
    }
    assert [(file["name"], file["type"]) for file in scores["associatedFiles"]] == [(LABELS_FILE, 2)]  # AXIS_LABELS
    (custom,) = subgraph["customMetadata"]
    assert (custom["name"], custom["data"]["activation"]) == ("SEGMENTER_METADATA", 2)  # SOFTMAX


def test_normalised_and_quantised_bytes_are_raw_bytes(subject: Subject, mediapipe: Tool, tmp_path: Path) -> None:
    """A reader of the standard computes (byte - mean) / std, then quantises as the input tensor says."""
    (image,) = metadata(subject.model.read_bytes(), mediapipe, tmp_path)["subgraphMetadata"][0]["inputTensorMetadata"]
    (unit,) = image["processUnits"]
    (mean,), (std,) = unit["options"]["mean"], unit["options"]["std"]
    spec = load_engine(subject.model).inputs[0]
    scale, zero_point = (spec.scale, spec.zero_point) if spec.scale else (1.0, 0)
    assert unit["optionsType"] == 1  # NormalizationOptions
    assert [round((byte - mean) / std / scale + zero_point) for byte in range(256)] == list(range(256))


@pytest.mark.parametrize("subject", ["pets"], indirect=True)
def test_class_ids_have_their_names_by_value(subject: Subject, mediapipe: Tool, tmp_path: Path) -> None:
    info = read_model_info(subject.model)
    assert info is not None
    class_ids = with_class_map_output(subject.model.read_bytes())
    model = pack(class_ids, info.model_copy(update={"output": "classes"}))
    (subgraph,) = metadata(model, mediapipe, tmp_path)["subgraphMetadata"]
    (classes,), (custom,) = subgraph["outputTensorMetadata"], subgraph["customMetadata"]
    assert classes["content"]["contentPropertiesType"] == 1  # FeatureProperties
    assert [(file["name"], file["type"]) for file in classes["associatedFiles"]] == [(LABELS_FILE, 3)]  # VALUE_LABELS
    assert custom["data"]["activation"] == 0  # NONE
