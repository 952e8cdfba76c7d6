"""Which layers int8 hurts, and the fewest to keep in float, on a network made hard to quantise."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")
pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from ai_edge_litert import schema_py_generated as schema

from edge_seg import DatasetWriter
from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset
from edge_seg.model_info import read_model_info
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg.runtimes import Engine, load_engine
from edge_seg_convert import graph, keras_export
from edge_seg_convert.calibration import calibration_set
from edge_seg_convert.fake_quantisation import with_quantised_layer
from edge_seg_convert.layer_errors import Noise
from edge_seg_convert.layers import Layer, layers_of
from edge_seg_convert.mixed_precision import LayerSet, fewest_float_layers, float_groups
from edge_seg_convert.quantisation import Calibrated, calibrate, integer_model, scaled
from edge_seg_train.tensorflow_setup import prepare_tensorflow

pytestmark = pytest.mark.timeout(900)

SIZE = 96
CHANNELS = 8


@pytest.mark.parametrize(
    ("exact", "rough", "sqnr_db", "rmse"),
    [
        ([1.0, -1.0], [1.0, -1.0], math.inf, 0.0),
        ([10.0, -10.0], [11.0, -9.0], 20.0, 1.0),
        ([1.0, 1.0], [2.0, 0.0], 0.0, 1.0),
        ([0.0, 0.0], [1.0, 1.0], -math.inf, 1.0),
    ],
)
def test_signal_to_quantisation_noise(exact: list[float], rough: list[float], sqnr_db: float, rmse: float) -> None:
    noise = Noise()
    noise.add(np.array(exact), np.array(rough))
    assert (noise.sqnr_db, noise.rmse) == pytest.approx((sqnr_db, rmse))


@pytest.mark.parametrize(
    ("scale", "zero_point", "dimension", "values"),
    [
        ([0.5], [1], 0, [[0.0, 0.5], [-1.0, 1.0]]),
        ([0.5, 2.0], [0, 0], 0, [[0.5, 1.0], [-2.0, 6.0]]),
        ([0.5, 2.0], [0, 0], 1, [[0.5, 4.0], [-0.5, 6.0]]),
    ],
)
def test_constants_take_the_values_that_int8_leaves(
    scale: list[float], zero_point: list[int], dimension: int, values: list[list[float]]
) -> None:
    data = np.array([[1, 2], [-1, 3]], np.int8).view(np.uint8).ravel()
    quantization = SimpleNamespace(scale=scale, zeroPoint=zero_point, quantizedDimension=dimension)
    assert graph.dequantised(data, schema.TensorType.INT8, quantization, [2, 2]).tolist() == values


def needs(*required: int) -> Callable[[LayerSet], float]:
    """Lose ten points until all of `required` are in float; every layer in float helps a little."""
    return lambda layers: (0.1 if set(required) - layers else 0.0) + 0.001 * (5 - len(layers))


def four_is_needless_without_nought(layers: LayerSet) -> float:
    """Lose ten points but with these layers in float: a loss may go down when a layer leaves."""
    return 0.0 if layers in ({0, 1, 2, 3, 4}, {1, 2, 3, 4}, {1, 2, 3}) else 0.1


GROUPS = [frozenset(pair) for pair in ((2, 3), (0, 1), (3, 4))]


@pytest.mark.parametrize(
    ("drop_with", "target", "most", "layers"),
    [
        (needs(), 0.01, 9, set()),
        (needs(2, 3), 0.01, 9, {2, 3}),
        (needs(3), 0.01, 9, {3}),  # 2 went along and turns out needless
        (needs(0, 4), 0.01, 9, {0, 4}),
        (needs(), 0.0025, 9, {0, 2, 3}),  # any three do; the last added go first
        (four_is_needless_without_nought, 0.01, 9, {1, 2, 3}),
        (needs(9), 0.01, 9, {0, 1, 2, 3, 4}),  # never fits: the best that was tried
        (needs(0, 4), 0.01, 3, {2, 3, 4}),  # two more layers would be too many
    ],
)
def test_fewest_layers_in_float(
    drop_with: Callable[[LayerSet], float], target: float, most: int, layers: set[int]
) -> None:
    trial = fewest_float_layers(GROUPS, drop_with, target, most)
    assert (trial.float_layers, trial.drop) == (layers, drop_with(frozenset(layers)))


def test_a_layer_goes_to_float_with_those_that_read_it() -> None:
    ranking = [Layer(3, "b", "ADD", "b;", frozenset({4, 7})), Layer(0, "a", "CONV_2D", "a;", frozenset({1}))]
    assert float_groups(ranking) == [{3, 4, 7}, {0, 1}]


@dataclass(frozen=True)
class Converted:
    output: str
    models: Path
    run: Path

    @property
    def int8(self) -> dict[str, Any]:
        return json.loads((self.models / "conversion.json").read_text())["models"][0]

    @property
    def ranking(self) -> list[dict[str, Any]]:
        return json.loads((self.models / f"{self.run.name}_int8_layers.json").read_text())["layers"]


def picture() -> np.ndarray:
    """Noise in the range of the calibration pictures."""
    return np.random.default_rng(0).integers(60, 160, (SIZE, SIZE, 3)).astype(np.uint8)


def write_data(folder: Path) -> None:
    """Two discs in noise, one a little redder and one a little greener: no single channel tells all three apart."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    with DatasetWriter(folder, name="discs", classes=make_classes(["background", "red", "green"])) as writer:
        for index in range(24):
            picture = rng.integers(60, 160, (SIZE, SIZE, 3))
            mask = np.zeros((SIZE, SIZE), np.uint8)
            for class_id in (1, 2):
                y, x = rng.integers(20, SIZE - 20, 2)
                mask[(rows - y) ** 2 + (columns - x) ** 2 < rng.integers(12, 30) ** 2] = class_id
            for class_id, colour in ((1, 0), (2, 1)):
                picture[..., colour] += 60 * (mask == class_id)
            writer.add_array(f"{index:02}.png", picture.astype(np.uint8), mask)


def train(data: Path) -> Any:
    """Train a network whose BatchNorms follow their ReLU: no convolution can take them in, nor a wide channel."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((SIZE, SIZE, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 127.5, -1.0)(image)
    x = layers.Conv2D(CHANNELS, 3, strides=2, padding="same", activation="relu", name="first")(x)
    x = layers.BatchNormalization(momentum=0.5, name="first_norm")(x)
    x = layers.SeparableConv2D(CHANNELS, 3, padding="same", activation="relu", name="middle")(x)
    x = layers.BatchNormalization(momentum=0.5, name="middle_norm")(x)
    logits = layers.UpSampling2D(2, interpolation="bilinear")(layers.Conv2D(3, 1, name="classify")(x))
    model = keras.Model(image, logits, name="unet")
    dataset = Dataset.open(data)
    images, masks = zip(*map(dataset.read, dataset.samples("train")), strict=True)
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(np.stack(images), np.stack(masks), batch_size=4, epochs=25, verbose=0)
    return model


def soften(_: Any) -> None:
    """Leave the network as it learned."""


def widen(model: Any, layer: str, norm: str) -> None:
    """Scale one channel by 100 where it is made and back where BatchNorm reads it; in float nothing changes."""
    convolution, statistics = model.get_layer(layer), model.get_layer(norm)
    *others, kernel, bias = convolution.get_weights()
    gamma, beta, mean, variance = statistics.get_weights()
    widest = int(np.abs(gamma / np.sqrt(variance + statistics.epsilon)).argmax())
    kernel[..., widest] *= 100
    bias[widest] *= 100
    mean[widest] *= 100
    variance[widest] = (variance[widest] + statistics.epsilon) * 100**2 - statistics.epsilon
    convolution.set_weights([*others, kernel, bias])
    statistics.set_weights([gamma, beta, mean, variance])


def widen_one_tensor(model: Any) -> None:
    widen(model, "middle", "middle_norm")


def widen_another(model: Any) -> None:
    widen(model, "first", "first_norm")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three runs with the same function in float, each harder to quantise than the one before."""
    prepare_tensorflow()
    root = tmp_path_factory.mktemp("hard")
    write_data(root / "data")
    model = train(root / "data")
    runs = {}
    for name, edit in (("soft", soften), ("hard", widen_one_tensor), ("harder", widen_another)):
        edit(model)
        run = RunFolder(root / name)
        run.path.mkdir()
        run.write_config(RunConfig(data=root / "data", width=SIZE, height=SIZE, encoder_weights="none"))
        (run.path / "dataset.toml").write_bytes((root / "data" / "dataset.toml").read_bytes())
        model.save(run.best_model_path)
        runs[name] = run.path
    return runs


def convert(run: Path, out: Path, *options: object) -> subprocess.CompletedProcess[str]:
    command = ["convert", run, "--out", out, "--precision", "int8", "--calibration-images", 10, *options]
    arguments = [sys.executable, "-m", "edge_seg.cli", *map(str, command)]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def calibrated(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Calibrated:
    out = tmp_path_factory.mktemp("export")
    data = RunFolder(runs["hard"]).read_config().data
    keras_export.export(keras_export.Request(str(runs["hard"] / "best.keras")), out)
    images = [item.image for item in calibration_set(Dataset.open(data), 5, SIZE, SIZE)]
    return calibrate((out / keras_export.FLOAT_MODEL_FILE).read_bytes(), images, "auto")


def with_output(model: bytes, name: str) -> bytes:
    edited = graph.parse(model)
    subgraph = edited.subgraphs[0]
    subgraph.outputs = [index for index, tensor in enumerate(subgraph.tensors) if tensor.name.decode() == name]
    return graph.serialise(edited)


def run(model: bytes, tensor: np.ndarray, folder: Path) -> tuple[Engine, list[np.ndarray]]:
    (folder / "model.tflite").write_bytes(model)
    engine = load_engine(folder / "model.tflite")
    engine.set_input(tensor)
    engine.invoke()
    return engine, [engine.output(index) for index in range(len(engine.outputs))]


def test_a_layer_quantised_alone_gives_what_it_gives_in_int8(calibrated: Calibrated, tmp_path: Path) -> None:
    """The first layer reads the same numbers in both, so its output is the same to one step."""
    image = picture()
    int8, first = integer_model(calibrated), layers_of(calibrated.core)[0]
    engine, (whole,) = run(with_output(int8, first.scope[:-1]), image[None], tmp_path)
    spec = engine.outputs[0]
    in_int8 = (whole.astype(np.float64) - spec.zero_point) * spec.scale
    simulated = with_quantised_layer(calibrated.core, int8, first.index)
    bytes_in = engine.inputs[0]
    numbers = (image[None].astype(np.float32) - bytes_in.zero_point) * np.float32(bytes_in.scale)
    _, (_, exact, rough) = run(simulated, numbers, tmp_path)
    steps = np.abs(rough - in_int8) / spec.scale
    assert steps.max() < 1.01
    assert np.mean(steps < 0.01) > 0.95
    assert 0 < np.median(np.abs(rough - exact)) < spec.scale


def test_a_layer_quantised_alone_leaves_the_others_in_float(calibrated: Calibrated, tmp_path: Path) -> None:
    image = scaled(picture(), calibrated.scaling)
    int8 = integer_model(calibrated)
    _, (reference,) = run(calibrated.core, image, tmp_path)
    for layer in layers_of(calibrated.core):
        _, (scores, exact, rough) = run(with_quantised_layer(calibrated.core, int8, layer.index), image, tmp_path)
        _, (in_float,) = run(with_output(calibrated.core, layer.scope[:-1]), image, tmp_path)
        assert np.allclose(exact, in_float, rtol=1e-4, atol=1e-4)
        assert len(np.unique(rough)) <= 256
        assert np.abs(scores - reference).max() > 0


def test_constants_are_quantised_too(calibrated: Calibrated, tmp_path: Path) -> None:
    """The wide channel's factor in the reading layer is a hundredth of the others': int8 leaves little of it."""
    image = scaled(picture(), calibrated.scaling)
    (reader,) = (layer for layer in layers_of(calibrated.core) if layer.name == "middle_norm/mul")
    int8 = integer_model(calibrated)
    engine, _ = run(int8, np.zeros((1, SIZE, SIZE, 3), np.uint8), tmp_path)
    (step,) = (spec.scale for spec in engine.tensors if spec.name == reader.scope[:-1])
    _, (_, exact, rough) = run(with_quantised_layer(calibrated.core, int8, reader.index), image, tmp_path)
    assert np.abs(rough - exact).max() > 0.7 * step  # rounding the output alone is half a step at most


@pytest.fixture(scope="module")
def hard(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Converted:
    out = tmp_path_factory.mktemp("models")
    done = convert(runs["hard"], out, "--debug", "--target-drop", 0.1)
    assert done.returncode == 0, done.stderr
    return Converted(done.stdout, out, runs["hard"])


def test_debug_names_the_layer_that_hurts_first(hard: Converted) -> None:
    worst, *others = hard.ranking
    assert (worst["layer"], worst["operation"]) == ("middle/conv_2d", "CONV_2D")
    assert worst["noise_share"] > 0.5
    assert worst["channel_spread"] > 30 > 5 * max(other["channel_spread"] for other in others)
    assert {error["layer"] for error in hard.ranking} >= {"first", "middle/depthwise", "classify"}
    assert sum(error["noise_share"] for error in hard.ranking) == pytest.approx(1, abs=1e-3)
    assert hard.output.index("middle/conv_2d") < hard.output.index("middle_norm/mul") < hard.output.index("classify")


def test_the_error_of_its_own_output_would_acquit_that_layer(hard: Converted) -> None:
    """The wide channel is the signal and is well kept; see the docstring of layer_errors."""
    by_own_output = sorted(hard.ranking, key=lambda error: error["sqnr_db"])
    assert by_own_output[0]["layer"] != "middle/conv_2d"


def test_debug_draws_a_plot(hard: Converted) -> None:
    from PIL import Image

    with Image.open(hard.models / "hard_int8_layers.png") as picture:
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    assert len(colours) > 20


def test_target_keeps_the_wide_tensor_in_float_and_nothing_else(hard: Converted) -> None:
    names = ["middle/conv_2d", "middle_norm/mul"]  # the layer that writes it and the one that reads it
    int8 = hard.int8
    assert [layer["layer"] for layer in int8["float_layers"]] == names
    assert int8["drop"] <= int8["target_drop"] == pytest.approx(0.001)
    assert int8["drop_without_float_layers"] > 0.0015
    info = read_model_info(hard.models / "hard_int8.tflite")
    assert info is not None
    assert (list(info.float_layers), info.precision) == (names, "int8")
    assert info.metrics["miou"] == int8["miou"]
    for name in names:
        assert re.search(rf"{name} .* [+-]\d+\.\d\d ms", hard.output)


def test_only_those_layers_compute_in_float(hard: Converted) -> None:
    engine = load_engine(hard.models / "hard_int8.tflite", delegate=False)
    computed = [(node.name, engine.tensors[node.outputs[0]].dtype.name) for node in engine.operations]
    assert computed == [
        ("QUANTIZE", "int8"),
        ("CONV_2D", "int8"),
        ("MUL", "int8"),
        ("ADD", "int8"),
        ("DEPTHWISE_CONV_2D", "int8"),
        ("DEQUANTIZE", "float32"),
        ("CONV_2D", "float32"),
        ("MUL", "float32"),
        ("QUANTIZE", "int8"),
        ("ADD", "int8"),
        ("CONV_2D", "int8"),
        ("RESIZE_BILINEAR", "int8"),
    ]
    assert engine.inputs[0].dtype == np.uint8


def test_a_soft_network_stays_in_int8(runs: dict[str, Path], tmp_path: Path) -> None:
    done = convert(runs["soft"], tmp_path, "--target-drop", 0.3)
    assert done.returncode == 0, done.stderr
    assert "within 0.3 points of Keras with every layer in int8" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"soft_int8.tflite", "conversion.json"}
    info = read_model_info(tmp_path / "soft_int8.tflite")
    assert info is not None
    assert info.float_layers == ()


def test_two_wide_tensors_are_both_found(runs: dict[str, Path], tmp_path: Path) -> None:
    done = convert(runs["harder"], tmp_path, "--target-drop", 0.1, "--json")
    assert done.returncode == 0, done.stderr
    (int8,) = json.loads(done.stdout)["models"]
    assert [layer["layer"] for layer in int8["float_layers"]] == [
        "first",
        "first_norm/mul",
        "middle/conv_2d",
        "middle_norm/mul",
    ]


def test_class_map_output_with_layers_in_float(runs: dict[str, Path], tmp_path: Path) -> None:
    done = convert(runs["hard"], tmp_path, "--target-drop", 0.1, "--output", "classes")
    assert done.returncode == 0, done.stderr
    engine = load_engine(tmp_path / "hard_int8.tflite")
    assert (engine.outputs[0].shape, engine.outputs[0].dtype) == ((1, SIZE, SIZE), np.int32)


@pytest.mark.parametrize("option", [("--debug",), ("--target-drop", 0.2)])
def test_layers_are_asked_of_int8_alone(runs: dict[str, Path], tmp_path: Path, option: tuple[object, ...]) -> None:
    arguments = ["convert", runs["soft"], "--out", tmp_path / "models", "--precision", "float16", *option]
    command = [sys.executable, "-m", "edge_seg.cli", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "int8, which is not among the precisions" in done.stderr.replace("\n", " ")
    assert not (tmp_path / "models").exists()
