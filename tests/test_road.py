"""The road from a data set to models, end to end on a small generated set, through the command line."""

import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")
pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg import Dataset, Segmenter
from edge_seg.dataset.content_hash import content_hash
from edge_seg.images import read_image
from edge_seg.model_info import read_labels, read_model_info
from edge_seg.run_folder import RunFolder
from edge_seg.runtimes import load_engine
from edge_seg_bench.cards.accuracy import read_conversion
from edge_seg_bench.cards.publish import Places, put_in_place
from edge_seg_bench.cards.subjects import Subject

pytestmark = pytest.mark.timeout(900)  # the first test waits for training and conversion, on whatever machine

PRECISIONS = ("float32", "float16", "dynamic", "int8")


def edge_seg(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_seg.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Road:
    data: Path
    run: Path
    models: Path
    convert_output: str


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    root = tmp_path_factory.mktemp("road")
    data, run, models = root / "data", root / "run", root / "models"
    small = ("--size", 96, "--alpha", 0.35, "--epochs", 2, "--batch-size", 8, "--encoder-weights", "none")
    made = edge_seg("data", "generate", data, "--count", 40, "--size", 128)
    assert made.returncode == 0, made.stderr
    trained = edge_seg("train", "--data", data, "--out", run, *small)
    assert trained.returncode == 0, trained.stderr
    # Two epochs from random weights leave scores so close that quantisation may cost more than the gate allows.
    converted = edge_seg("convert", run, "--out", models, "--calibration-images", 20, "--force")
    assert converted.returncode == 0, converted.stderr
    return Road(data, run, models, converted.stdout + converted.stderr)


def test_run_folder_keeps_its_contract(road: Road) -> None:
    names = {path.name for path in road.run.iterdir()}
    assert names == {
        "best.keras",
        "config.toml",
        "curves.png",
        "dataset.toml",
        "environment.toml",
        "history.csv",
        "network.png",
        "report.html",
        "samples",
        "tensorboard",
    }
    assert [path.name for path in sorted((road.run / "samples").iterdir())] == ["epoch_001.png", "epoch_002.png"]
    config = RunFolder(road.run).read_config()
    assert (config.width, config.alpha, config.epochs) == (96, 0.35, 2)


def test_history_has_every_figure_of_every_epoch(road: Road) -> None:
    with (road.run / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    wanted = {"loss", "val_loss", "val_miou", "val_pixel_accuracy", "val_iou_background", "learning_rate", "seconds"}
    assert wanted <= rows[0].keys()
    assert float(rows[1]["loss"]) < float(rows[0]["loss"])


def test_four_models_and_a_summary(road: Road) -> None:
    files = {path.name for path in road.models.iterdir()}
    assert files == {f"run_{precision}.tflite" for precision in PRECISIONS} | {"conversion.json"}
    summary = json.loads((road.models / "conversion.json").read_text())
    info = read_model_info(road.models / "run_int8.tflite")
    assert info is not None
    assert summary["network"].items() <= info.model_dump(mode="json").items()
    assert summary["network"]["data"]["sha256"]
    by_precision = {model["precision"]: model for model in summary["models"]}
    assert by_precision["float32"]["agreement_with_keras"] > 0.999
    assert by_precision["float32"]["miou"] == pytest.approx(summary["keras_miou"], abs=1e-3)
    assert by_precision["float16"]["size_bytes"] < 0.6 * by_precision["float32"]["size_bytes"]
    assert by_precision["int8"]["size_bytes"] < 0.5 * by_precision["float32"]["size_bytes"]


def test_what_is_published_of_a_run(road: Road, tmp_path: Path) -> None:
    toy = Subject("toy", "run")
    put_in_place(toy, Places(tmp_path, road.run.parent, road.data.parent, tmp_path / "converted"))
    info, conversion = read_model_info(tmp_path / toy.model), read_conversion(tmp_path / toy.accuracy)
    assert info is not None
    assert conversion.of("int8").miou == info.metrics["miou"]
    assert conversion.network.source == info.source
    assert read_image(tmp_path / toy.failures).shape[1] > 300
    put_in_place(
        replace(toy, name="kept", ships=False), Places(tmp_path, road.run.parent, road.data.parent, tmp_path / "c")
    )
    assert sorted(path.stem for path in (tmp_path / toy.model).parent.iterdir()) == ["toy"]
    assert {path.stem for path in (tmp_path / toy.accuracy).parent.iterdir()} == {"toy", "kept"}


def test_converter_chatter_never_reaches_the_user(road: Road) -> None:
    for noise in ("TensorSpec", "INFO:", "Calibration", "WARNING", "Saved artifact"):
        assert noise not in road.convert_output


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_model_takes_raw_bytes(road: Road, precision: str) -> None:
    engine = load_engine(road.models / f"run_{precision}.tflite")
    assert engine.inputs[0].dtype == np.uint8
    assert engine.inputs[0].shape == (1, 96, 96, 3)
    assert engine.outputs[0].shape == (1, 96, 96, 3)
    assert engine.outputs[0].dtype == (np.int8 if precision == "int8" else np.float32)


def test_inspect_shows_where_a_model_comes_from(road: Road) -> None:
    done = edge_seg("inspect", road.models / "run_int8.tflite")
    assert done.returncode == 0, done.stderr
    shown = {line.split("  ")[0] for line in done.stdout.splitlines()}
    assert shown >= {
        "before conversion",
        "data sha256",
        "data licence",
        "source",
        "calibration",
        "converter",
        "versions",
    }
    machine_readable = json.loads(edge_seg("inspect", road.models / "run_int8.tflite", "--json").stdout)
    assert machine_readable["edge_seg"]["calibration"]["images"] == 20
    assert machine_readable["delegate"]["partitions"] == 1
    assert machine_readable["delegate"]["left_out"] == {"QUANTIZE": 1}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_model_describes_itself(road: Road, precision: str) -> None:
    path = road.models / f"run_{precision}.tflite"
    info = read_model_info(path)
    assert info is not None
    assert (info.precision, info.input_height, info.input_width, info.output) == (precision, 96, 96, "scores")
    assert info.metrics.keys() >= {"miou", "pixel_accuracy", "iou_background", "agreement_with_keras"}
    assert info.data.licence == "CC0-1.0"
    assert info.float_metrics.keys() == info.metrics.keys() - {"keras_miou", "agreement_with_keras", "pictures"}
    assert info.source == f"run {hashlib.sha256((road.run / 'best.keras').read_bytes()).hexdigest()}"
    assert info.data.sha256 == content_hash(Dataset.open(road.data))
    assert info.converter == {"quantizer": "litert", "rewrite": "auto"}
    assert (info.calibration.images if info.calibration else 0) == (20 if precision == "int8" else 0)
    assert read_labels(path) == tuple(item.name for item in info.classes)
    assert zipfile.ZipFile(path).testzip() is None


def test_int8_input_costs_nothing(road: Road) -> None:
    """The scaling is the input's quantisation: raw byte b stands for (b − 127.5) / 127.5, to half a step."""
    spec = load_engine(road.models / "run_int8.tflite").inputs[0]
    assert spec.scale == pytest.approx(1 / 127.5, rel=1e-3)
    assert spec.zero_point in (127, 128)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_model_has_a_signature(road: Road, precision: str) -> None:
    from edge_seg_convert import graph

    (signature,) = graph.parse((road.models / f"run_{precision}.tflite").read_bytes()).signatureDefs
    assert signature.signatureKey == b"serving_default"
    assert [entry.name for entry in (*signature.inputs, *signature.outputs)] == [b"image", b"output_0"]


@pytest.mark.parametrize("precision", PRECISIONS[1:])
def test_models_agree_with_float32_on_a_picture(road: Road, precision: str) -> None:
    dataset = Dataset.open(road.data)
    image, _ = dataset.read(dataset.samples("val")[0])
    reference, other = (Segmenter.load(road.models / f"run_{key}.tflite") for key in ("float32", precision))
    assert np.mean(reference.segment(image).class_map == other.segment(image).class_map) > 0.9


def test_class_map_output(road: Road, tmp_path: Path) -> None:
    options = ("--precision", "int8", "--output", "classes", "--calibration-images", 20, "--force")
    done = edge_seg("convert", road.run, "--out", tmp_path, *options)
    assert done.returncode == 0, done.stderr
    engine = load_engine(tmp_path / "run_int8.tflite")
    assert (engine.outputs[0].shape, engine.outputs[0].dtype) == ((1, 96, 96), np.int32)
    image = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), np.uint8)
    scores = load_engine(road.models / "run_int8.tflite")
    for each in (engine, scores):
        each.set_input(image)
        each.invoke()
    assert np.array_equal(engine.output(), scores.output().argmax(axis=-1))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--size", 100), "a side is a multiple of 32 from 96 to 512, not 100; try 96"),
        (("--size", "big"), "--size 'big' is no size"),
        (("--alpha", 0.9), "MobileNetV2 comes with alpha"),
        (("--batch-size", 1000), "the batch size 1000 is larger than the 32 training pictures"),
        (("--encoder-weights", "absent.h5"), "encoder weights 'absent.h5': no such file"),
    ],
)
def test_bad_training_options_are_one_sentence(
    road: Road, tmp_path: Path, arguments: tuple[object, ...], sentence: str
) -> None:
    options = ("--size", 96, "--encoder-weights", "none")
    done = edge_seg("train", "--data", road.data, "--out", tmp_path / "run", *options, *arguments)
    assert done.returncode == 1
    assert sentence in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_convert_without_a_run_is_one_sentence(tmp_path: Path) -> None:
    done = edge_seg("convert", tmp_path / "nothing", "--out", tmp_path / "models")
    assert done.returncode == 1
    assert "not a finished run" in done.stderr
    assert not (tmp_path / "models").exists()
