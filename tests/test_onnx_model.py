"""An ONNX model is written when it gives the classes of the .tflite, and only then."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tf2onnx", reason="needs edge-seg[onnx]")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs edge-seg[onnx]")

from ai_edge_litert import schema_py_generated as schema

from edge_seg import Dataset, DatasetWriter
from edge_seg.classes import make_classes
from edge_seg.dataset.manifest import SplitPolicy
from edge_seg.errors import ConversionError
from edge_seg.model_info import INFO_FILE, DataProvenance, ModelInfo, OutputKind
from edge_seg_convert import graph, onnx_model
from edge_seg_convert.onnx_export import LABELS_KEY
from edge_seg_convert.onnx_model import OnnxModel, write_onnx

SIZE = 8
UINT8, FLOAT = schema.TensorType.UINT8, schema.TensorType.FLOAT32


def red_or_blue(code: int = schema.BuiltinOperator.CAST) -> bytes:
    """A network of one 1×1 convolution: the first class where a pixel has more red than blue, else the second."""
    model, subgraph = schema.ModelT(), schema.SubGraphT()
    model.version, model.buffers, model.subgraphs, model.operatorCodes = 3, [schema.BufferT()], [subgraph], []
    subgraph.tensors, subgraph.operators, subgraph.inputs, subgraph.outputs = [], [], [0], [4]
    graph.add_tensor(model, "image", [1, SIZE, SIZE, 3], UINT8)
    graph.add_tensor(model, "real", [1, SIZE, SIZE, 3], FLOAT)
    weights = np.array([[1, 0, -1], [-1, 0, 1]], np.float32).reshape(2, 1, 1, 3)
    graph.add_tensor(model, "weights", weights.shape, FLOAT, data=weights.ravel())
    graph.add_tensor(model, "bias", [2], FLOAT, data=np.array([0.5, -0.5], np.float32))
    graph.add_tensor(model, "logits", [1, SIZE, SIZE, 2], FLOAT)
    convolution = graph.make_operation(model, schema.BuiltinOperator.CONV_2D, [4], [1, 2, 3])
    convolution.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    convolution.builtinOptions = schema.Conv2DOptionsT()
    convolution.builtinOptions.strideW = convolution.builtinOptions.strideH = 1
    subgraph.operators = [graph.make_operation(model, code, [1], [0]), convolution]
    return graph.serialise(model)


@dataclass(frozen=True)
class Bench:
    folder: Path
    dataset: Dataset
    info: ModelInfo

    def write(self, model: bytes, output: OutputKind = "scores") -> OnnxModel:
        source, work = self.folder / "model.tflite", self.folder / "work"
        source.write_bytes(model)
        work.mkdir(exist_ok=True)
        info = self.info.model_copy(update={"output": output})
        return write_onnx(source, info, self.dataset, self.folder / "out.onnx", work)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    rng, classes = np.random.default_rng(0), make_classes(["fire", "water"])
    with DatasetWriter(tmp_path / "data", name="noise", classes=classes, split=SplitPolicy(val=0.5)) as writer:
        for index in range(6):
            picture, mask = rng.integers(0, 256, (20, 30, 3), np.uint8), rng.integers(0, 2, (20, 30), np.uint8)
            writer.add_array(f"{index}.png", picture, mask)
    size = {"input_height": SIZE, "input_width": SIZE}
    data = DataProvenance(name="noise")
    info = ModelInfo(name="run", classes=classes, precision="float32", data=data, **size)
    return Bench(tmp_path, Dataset.open(tmp_path / "data"), info)


@pytest.mark.parametrize(("output", "shape"), [("scores", [1, SIZE, SIZE, 2]), ("classes", [1, SIZE, SIZE])])
def test_model_takes_raw_bytes_and_names_its_classes(bench: Bench, output: OutputKind, shape: list[int]) -> None:
    made = bench.write(red_or_blue(), output)
    assert made == OnnxModel(bench.folder / "out.onnx", made.path.stat().st_size, agreement=1.0, pictures=3)
    session = onnxruntime.InferenceSession(made.path)
    (image,), (result,) = session.get_inputs(), session.get_outputs()
    assert (image.name, image.type, image.shape) == ("image", "tensor(uint8)", [1, SIZE, SIZE, 3])
    assert (result.name, result.shape) == (output, shape)
    known = session.get_modelmeta().custom_metadata_map
    assert known[LABELS_KEY] == "fire\nwater"
    assert json.loads(known[INFO_FILE])["classes"][1]["name"] == "water"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (schema.BuiltinOperator.DENSIFY, "No Op registered for TFL_DENSIFY"),
        (schema.BuiltinOperator.STABLEHLO_ABS, "Can't lookup value 175"),
    ],
)
def test_graph_that_tf2onnx_does_not_know_is_one_sentence(bench: Bench, code: int, reason: str) -> None:
    with pytest.raises(ConversionError, match="run: tf2onnx could not convert it to ONNX") as caught:
        bench.write(red_or_blue(code))
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (bench.folder / "out.onnx").exists()


def test_model_that_gives_other_classes_is_not_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "agreement", lambda *_: 0.9)
    with pytest.raises(ConversionError, match=r"out\.onnx not written: only 90\.00 % of its pixels"):
        bench.write(red_or_blue())
    assert not (bench.folder / "out.onnx").exists()
