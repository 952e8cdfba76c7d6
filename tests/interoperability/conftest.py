"""Models of every precision and decoder, with the class maps that LiteRT gives for pictures."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tool_environment import SCRIPTS, Tool

from edge_seg import Dataset
from edge_seg.resampling import shrink_image
from edge_seg.runtimes import load_engine
from edge_seg.shipped import default_model

PRECISIONS = ("float32", "float16", "dynamic", "int8")
MODELS = [*(f"{decoder}_{precision}" for decoder in ("separable", "transpose") for precision in PRECISIONS), "pets"]


@dataclass(frozen=True)
class Subject:
    """A model, pictures [n, height, width, 3] at its size, and the class maps [n, height, width] that LiteRT gives."""

    model: Path
    precision: str
    pictures: np.ndarray
    class_maps: np.ndarray

    def compare(self, tool: Tool, script: str, least: Mapping[str, float], folder: Path) -> dict[str, Any]:
        """Run `script MODEL PICTURES CLASS_MAPS` in a tool's environment and compare its class maps with LiteRT's.

        Args:
            tool: where the script runs.
            script: opens the model and writes class maps [n, height, width] of the pictures.
            least: share of pixels that must have LiteRT's class, by precision.
            folder: for files on their way.

        Returns:
            What else the script told.
        """
        pictures, found = folder / "pictures.npy", folder / "class_maps.npy"
        np.save(pictures, self.pictures)
        told = tool.script(script, self.model, pictures, found)
        class_maps = np.load(found)
        assert class_maps.shape == self.class_maps.shape
        share = np.mean(class_maps == self.class_maps)
        assert share >= least[self.precision], f"{self.model.name}: {share:.5f} of the pixels have LiteRT's class"
        return told


def run(*command: object) -> None:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interoperability") / "data"
    run("-m", "edge_seg.cli", "data", "generate", folder, "--count", 24, "--size", 128)
    return folder


@pytest.fixture(scope="session")
def models(data: Path) -> Path:
    """A folder of .tflite files, named as in MODELS, through the real conversion."""
    folder = data.parent / "models"
    for decoder in ("separable", "transpose"):
        run(SCRIPTS / "short_run.py", data, data.parent / decoder, decoder)
        options = ("--calibration-images", 18, "--force")
        run("-m", "edge_seg.cli", "convert", data.parent / decoder, "--out", folder, *options)
    return folder


@pytest.fixture(scope="session", params=MODELS)
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "pets":
        return _subject(default_model(), "int8", _cats())
    dataset = Dataset.open(request.getfixturevalue("data"))
    pictures = [dataset.read(sample)[0] for sample in dataset.samples("val")]
    path = request.getfixturevalue("models") / f"{request.param}.tflite"
    return _subject(path, request.param.partition("_")[2], pictures)


def _cats() -> list[np.ndarray]:
    from skimage.data import chelsea

    cat = chelsea()
    return [cat, cat[:, ::-1], cat[:, :300], cat[60:, 100:]]


def _subject(model: Path, precision: str, pictures: list[np.ndarray]) -> Subject:
    engine = load_engine(model)
    _, height, width, _ = engine.inputs[0].shape
    shrunk = np.stack([shrink_image(np.ascontiguousarray(picture), height, width) for picture in pictures])
    class_maps = []
    for picture in shrunk:
        engine.set_input(picture[None])
        engine.invoke()
        class_maps.append(engine.output()[0].argmax(axis=-1))
    shares = np.bincount(np.ravel(class_maps)) / np.size(class_maps)
    assert (shares > 0.05).sum() > 1, f"one class everywhere proves nothing: shares {shares}"
    return Subject(model, precision, shrunk, np.stack(class_maps))
