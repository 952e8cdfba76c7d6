"""Networks that edge-seg did not train: Keras files and SavedModels, through the command line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")
pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg import Segmenter
from edge_seg.model_info import read_model_info
from edge_seg.synthetic import CLASS_NAMES
from edge_seg_convert.keras_models import is_model

pytestmark = pytest.mark.timeout(900)

SIZE = 64
MAKE_MODELS = """
import sys
from pathlib import Path
import keras
from keras import layers

folder = Path(sys.argv[1])

def network(classes, activation=None, shape=(64, 64, 3), dtype="float32"):
    keras.utils.set_random_seed(0)
    image = keras.Input(shape, dtype=dtype)
    x = layers.Rescaling(1 / 255)(image) if dtype == "uint8" else image
    skip = layers.Conv2D(8, 3, 2, "same", activation="relu")(x)
    x = layers.Conv2D(16, 3, 2, "same", activation="swish")(skip)
    x = layers.Conv2DTranspose(8, 2, 2, activation="relu")(x)
    x = layers.Concatenate()([x, skip])
    return keras.Model(image, layers.Conv2DTranspose(classes, 4, 2, "same", activation=activation)(x))

class Twice(layers.Layer):
    def call(self, x):
        return 2 * x

def head(*more):
    image = keras.Input((64, 64, 3))
    x = layers.Conv2D(8, 3, 2, "same", activation="relu")(image)
    for layer in more:
        x = layer(x)
    return keras.Model(image, layers.Conv2D(3, 1)(x))

image = keras.Input((64, 64, 3))
head(layers.UpSampling2D(2)).save(folder / "nearest.keras")
head(layers.GroupNormalization(4), layers.Activation("swish"), layers.UpSampling2D(2)).save(folder / "groups.keras")
x = layers.Normalization(mean=[0.5, 0.4, 0.3], variance=[0.1, 0.2, 0.3])(image)
keras.Model(image, layers.Conv2D(3, 3, padding="same")(x)).save(folder / "normalised.keras")
x = layers.Conv2D(3, 3, padding="same", name="wild")(image)
wild = keras.Model(image, x)
wild.get_layer("wild").set_weights([w * float("nan") for w in wild.get_layer("wild").get_weights()])
wild.save(folder / "nan.keras")
keras.Model(image, {"seg": layers.Conv2D(3, 3, padding="same")(image)}).save(folder / "named.keras")
keras.mixed_precision.set_global_policy("mixed_float16")
head(layers.UpSampling2D(2)).save(folder / "mixed.keras")
keras.mixed_precision.set_global_policy("float32")
network(3, "softmax").save(folder / "softmax.keras")
network(1, "sigmoid").save(folder / "sigmoid.h5")
network(3, dtype="uint8").save(folder / "bytes.keras")
network(3).export(folder / "saved")
keras.Model(image, Twice()(layers.Conv2D(3, 1)(image))).export(folder / "custom_saved")
keras.Model(image, Twice()(layers.Conv2D(3, 1)(image))).save(folder / "custom.keras")
keras.Model(image, layers.Lambda(lambda x: 2 * x)(layers.Conv2D(3, 1)(image))).save(folder / "lambda.keras")
keras.Model(image, layers.GlobalAveragePooling2D()(image)).save(folder / "vector.keras")
network(3, shape=(None, None, 3)).save(folder / "open.keras")
(folder / "cut.keras").write_bytes((folder / "softmax.keras").read_bytes()[:2000])
"""


def edge_seg(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_seg.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models made in a process of their own, a data set, and files of class names."""
    folder = tmp_path_factory.mktemp("foreign")
    made = subprocess.run([sys.executable, "-c", MAKE_MODELS, str(folder)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    generated = edge_seg("data", "generate", folder / "data", "--count", 20, "--size", 80)
    assert generated.returncode == 0, generated.stderr
    (folder / "three.txt").write_text("\n".join(CLASS_NAMES) + "\n")
    (folder / "two.txt").write_text("background\nthing\n")
    return folder


@pytest.mark.parametrize(
    ("name", "labels", "options"),
    [
        ("softmax.keras", "three.txt", ("--input-range", "0,1")),
        ("bytes.keras", "three.txt", ()),
        ("saved", "three.txt", ("--input-range", "-1,1")),
        ("custom_saved", "three.txt", ("--input-range", "0,255")),
        ("nearest.keras", "three.txt", ("--input-range", "-1,1")),
        ("groups.keras", "three.txt", ("--input-range", "-1,1")),
        ("normalised.keras", "three.txt", ("--input-range", "0,1")),
        ("named.keras", "three.txt", ("--input-range", "-1,1")),
        ("mixed.keras", "three.txt", ("--input-range", "-1,1")),
    ],
)
def test_all_precisions_agree_with_keras(
    models: Path, name: str, labels: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    """The networks are untrained, so scores lie close together: --force writes what the gate would hold back."""
    arguments = ("--labels", models / labels, "--data", models / "data", "--out", tmp_path, "--force", "--json")
    done = edge_seg("convert", models / name, *arguments, *options)
    assert done.returncode == 0, done.stderr
    by_precision = {model["precision"]: model for model in json.loads(done.stdout)["models"]}
    assert by_precision["float32"]["agreement_with_keras"] > 0.999
    assert by_precision["float16"]["agreement_with_keras"] > 0.98
    assert by_precision["int8"]["agreement_with_keras"] > 0.85
    stem = Path(name).stem
    info = read_model_info(tmp_path / f"{stem}_int8.tflite")
    assert info is not None
    assert [item.name for item in info.classes] == list(CLASS_NAMES)
    assert info.calibration is not None
    assert info.source.startswith(f"{stem} ")
    segmented = Segmenter.load(tmp_path / f"{stem}_int8.tflite").segment(np.zeros((30, 40, 3), np.uint8))
    assert segmented.class_map.shape == (30, 40)


def test_without_data_nothing_is_verified_and_int8_is_left_out(models: Path, tmp_path: Path) -> None:
    options = ("--labels", models / "two.txt", "--input-range", "0,1", "--out", tmp_path)
    done = edge_seg("convert", models / "sigmoid.h5", *options)
    assert done.returncode == 0, done.stderr
    assert "not verified" in done.stdout
    names = {f"sigmoid_{precision}.tflite" for precision in ("float32", "float16", "dynamic")}
    assert {path.name for path in tmp_path.iterdir()} == names | {"conversion.json"}


def test_the_same_input_gives_the_same_bytes(models: Path, tmp_path: Path) -> None:
    options = ("--labels", models / "three.txt", "--data", models / "data", "--precision", "int8", "--force")
    for folder in ("one", "two"):
        done = edge_seg("convert", models / "bytes.keras", *options, "--out", tmp_path / folder)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one" / "bytes_int8.tflite").read_bytes() == (
        tmp_path / "two" / "bytes_int8.tflite"
    ).read_bytes()


def test_tensorflow_makes_int8_too(models: Path, tmp_path: Path) -> None:
    options = ("--labels", models / "three.txt", "--data", models / "data", "--precision", "int8", "--force", "--json")
    done = edge_seg("convert", models / "bytes.keras", *options, "--quantizer", "tensorflow", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    (int8,) = json.loads(done.stdout)["models"]
    assert int8["agreement_with_keras"] > 0.9
    info = read_model_info(tmp_path / "bytes_int8.tflite")
    assert info is not None
    assert info.converter == {"quantizer": "tensorflow", "rewrite": "off"}


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("softmax.keras", (), "does not say its classes; give --labels FILE"),
        ("softmax.keras", ("--labels", "three.txt"), "takes floats and does not say which range; give --input-range"),
        ("bytes.keras", ("--labels", "three.txt", "--input-range", "0,1"), "leave --input-range out"),
        ("softmax.keras", ("--labels", "two.txt", "--input-range", "0,1"), "gives 3 scores a pixel, but there are 2"),
        ("custom.keras", ("--labels", "three.txt", "--input-range", "0,1"), "does not know the layer 'Twice'"),
        ("lambda.keras", ("--labels", "three.txt", "--input-range", "0,1"), "this one holds a Lambda layer"),
        ("vector.keras", ("--labels", "three.txt", "--input-range", "0,1"), "a segmentation is [n, height, width,"),
        ("open.keras", ("--labels", "three.txt", "--input-range", "0,1"), "leaves its input size open"),
        ("cut.keras", ("--labels", "three.txt", "--input-range", "0,1"), "is no whole .keras archive"),
        ("nan.keras", ("--labels", "three.txt", "--input-range", "0,1"), "its weights hold NaN or infinity"),
        (
            "sigmoid.h5",
            ("--labels", "two.txt", "--input-range", "0,1", "--output", "classes"),
            "gives one score a pixel, which is no choice between classes",
        ),
        ("none.keras", ("--labels", "three.txt"), "no such model file"),
        ("bytes.keras", ("--labels", "two.txt", "--data", "data"), "but --labels names background, thing"),
        ("bytes.keras", ("--labels", "three.txt", "--precision", "int8"), "int8 is calibrated on pictures"),
        ("bytes.keras", ("--labels", "three.txt", "--to", "onnx"), "ONNX is verified on pictures"),
        (
            "bytes.keras",
            ("--labels", "three.txt", "--data", "data", "--calibration-images", 1),
            "int8 would be calibrated on 1 distinct picture",
        ),
        (
            "bytes.keras",
            ("--labels", "three.txt", "--data", "data", "--quantizer", "tensorflow", "--debug"),
            "leave out --quantizer",
        ),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(
    models: Path, name: str, options: tuple[object, ...], sentence: str, tmp_path: Path
) -> None:
    placed = [models / option if str(option) in ("three.txt", "two.txt", "data") else option for option in options]
    done = edge_seg("convert", models / name, *placed, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.tflite"))


@pytest.mark.parametrize(
    ("name", "expected"), [("a.keras", True), ("a.H5", True), ("runs/fire", False), ("a.tflite", False)]
)
def test_what_is_a_model_file(name: str, expected: bool) -> None:
    assert is_model(Path(name)) is expected
