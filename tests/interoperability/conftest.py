"""Models of every precision and decoder, through the real conversion."""

from pathlib import Path

import numpy as np
import pytest
from subjects import MODELS, Subject, edge_seg, make_subject, run
from tool_environment import SCRIPTS

from edge_seg import Dataset
from edge_seg.shipped import default_model


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interoperability") / "data"
    edge_seg("data", "generate", folder, "--count", 24, "--size", 128)
    return folder


@pytest.fixture(scope="session")
def models(data: Path) -> Path:
    """A folder of .tflite files, named as in MODELS, through the real conversion."""
    folder = data.parent / "models"
    for decoder in ("separable", "transpose"):
        run(SCRIPTS / "short_run.py", data, data.parent / decoder, decoder)
        options = ("--calibration-images", 18, "--force")
        edge_seg("convert", data.parent / decoder, "--out", folder, *options)
    return folder


@pytest.fixture(scope="session", params=MODELS)
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "pets":
        return make_subject(default_model(), "int8", _cats())
    dataset = Dataset.open(request.getfixturevalue("data"))
    pictures = [dataset.read(sample)[0] for sample in dataset.samples("val")]
    path = request.getfixturevalue("models") / f"{request.param}.tflite"
    return make_subject(path, request.param.partition("_")[2], pictures)


def _cats() -> list[np.ndarray]:
    from skimage.data import chelsea

    cat = chelsea()
    return [cat, cat[:, ::-1], cat[:, :300], cat[60:, 100:]]
