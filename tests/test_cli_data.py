"""`edge-seg data` as a user types it."""

import json
import sys
import types
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from edge_seg.cli.app import build_app
from edge_seg.dataset import Dataset
from edge_seg.images import read_image


@pytest.fixture(scope="module")
def app():
    return build_app("data")


@pytest.fixture
def run(app):
    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["data", *map(str, words)])

    return invoke


@pytest.fixture
def generated(run, tmp_path: Path) -> Path:
    assert run("generate", tmp_path / "scenes", "--count", 10, "--size", 64).exit_code == 0
    return tmp_path / "scenes"


@pytest.mark.parametrize(
    "command",
    [["import", "masks"], ["import", "via"], ["import", "pets"], ["check"], ["preview"], ["generate"]],
)
def test_help_has_an_example(run, command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert f"edge-seg data {' '.join(command)}" in " ".join(result.stdout.split())


def test_generate_check_preview(run, generated: Path, tmp_path: Path) -> None:
    checked = run("check", generated)
    assert (checked.exit_code, "0 errors, 1 warning" in checked.stdout) == (0, True)  # few to train on
    shown = run("preview", generated, "--out", tmp_path / "sheet.png", "--count", 6, "--columns", 3)
    assert shown.exit_code == 0
    assert "6 of 8 pictures" in shown.stdout
    assert read_image(tmp_path / "sheet.png").shape[1] > 3 * 320


def test_check_fails_and_says_why(run, generated: Path) -> None:
    (generated / "masks" / "scene_0000.png").unlink()
    (generated / "masks" / "scene_0001.png").write_bytes(b"")
    result = run("check", generated)
    assert result.exit_code == 1
    assert "2 errors" in result.stdout
    content = json.loads(run("check", generated, "--json").stdout)
    assert content["ok"] is False
    assert [item["kind"] for item in content["findings"]] == ["absent-file", "undecodable", "few-pictures"]
    assert set(content["splits"]["train"]["pixel_shares"]) == {"background", "leaf", "stone"}


def test_import_masks(run, generated: Path, tmp_path: Path) -> None:
    folders = generated / "images", generated / "masks"
    result = run("import", "masks", *folders, "--map", "0=ground,1=thing,2=thing", "--out", tmp_path / "two")
    assert result.exit_code == 0, result.output
    dataset = Dataset.open(tmp_path / "two")
    assert (dataset.manifest.name, dataset.manifest.class_names) == ("two", ("ground", "thing"))


def test_skipped_pairs_go_to_stderr(run, generated: Path, tmp_path: Path) -> None:
    (generated / "masks" / "scene_0003.png").unlink()
    words = ["import", "masks", generated / "images", generated / "masks", "--map", "0=a,1=b,2=c"]
    failed = run(*words, "--out", tmp_path / "out")
    assert failed.exit_code == 1
    assert failed.stderr.count("\n") == 1
    assert "scene_0003" in failed.stderr
    assert "--skip-bad" in failed.stderr
    result = run(*words, "--out", tmp_path / "out", "--skip-bad")
    assert (result.exit_code, "scene_0003" in result.stderr) == (0, True)
    assert "9 pictures" in result.stdout
    assert "1 skipped" in result.stdout


def test_import_via(run, tmp_path: Path) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    shape = {"name": "circle", "cx": 9, "cy": 9, "r": 5}
    regions = [{"shape_attributes": shape, "region_attributes": {"kind": "leaf"}}]
    (tmp_path / "via.json").write_text(json.dumps({"a.png1": {"filename": "a.png", "regions": regions}}))
    result = run("import", "via", tmp_path / "via.json", "--out", tmp_path / "out", "--licence", "CC0-1.0")
    assert result.exit_code == 0, result.output
    assert Dataset.open(tmp_path / "out").manifest.licence == "CC0-1.0"


@pytest.mark.parametrize(
    "words",
    [
        ["import", "masks", "i", "m", "--map", "0:a", "--out", "o"],
        ["import", "masks", "i", "m", "--out", "o"],
        ["generate", "o", "--val", "0.6", "--test", "0.6"],
        ["generate", "o", "--size", "8"],
        ["preview", "o"],
    ],
)
def test_usage_errors_exit_with_2(run, words: list[str]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.parametrize(
    "words",
    [["check", "gone"], ["preview", "gone", "--out", "x.png"], ["import", "via", "gone.json", "--out", "o"]],
)
def test_errors_are_one_line(run, tmp_path: Path, monkeypatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith("edge-seg: gone")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# Oxford-IIIT Pet ------------------------------------------------------------------------------------


class FakeDatasets(types.ModuleType):
    """Stands in for tensorflow_datasets, which is not installed and could not download here.

    It has the names that the importer uses and the examples' types as tensorflow-datasets documents
    them. It cannot show that the real download works: no test here can.
    """

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__("tensorflow_datasets")
        self.__spec__ = ModuleSpec(self.__name__, None)
        self.decode = types.SimpleNamespace(SkipDecoding=lambda: "undecoded")
        self.error = error

    def load(self, name: str, *, split: str, data_dir: str | None, decoders: dict[str, str]):
        assert (name.split(":", maxsplit=1)[0], split, decoders) == (
            "oxford_iiit_pet",
            "train+test",
            {"image": "undecoded"},
        )
        if self.error:
            raise self.error
        return range(5)

    def as_numpy(self, numbers):
        for number in numbers:
            content = BytesIO()
            Image.new("RGB", (6, 4), (number, 0, 0)).save(content, "JPEG")
            trimap = np.array([[[1], [2], [3], [1], [2], [3]]] * 4, np.uint8)
            yield {
                "image": content.getvalue(),
                "file_name": b"cat_%d.jpg" % number,
                "segmentation_mask": trimap,
            }


needs_tensorflow = pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="tensorflow-datasets reads its files with TensorFlow"
)


@pytest.fixture
def install(monkeypatch):
    def put(fake: FakeDatasets) -> None:
        download = types.ModuleType("download")
        download.DownloadError = type("DownloadError", (Exception,), {})  # pyright: ignore
        monkeypatch.setitem(sys.modules, "tensorflow_datasets", fake)
        monkeypatch.setitem(sys.modules, "tensorflow_datasets.core.download", download)

    return put


@needs_tensorflow
def test_pets_from_a_fake_download(run, install, tmp_path: Path) -> None:
    """Against FakeDatasets, not the real package: see there."""
    install(FakeDatasets())
    result = run("import", "pets", "--out", tmp_path / "pets")
    assert result.exit_code == 0, result.output
    dataset = Dataset.open(tmp_path / "pets")
    assert dataset.manifest.class_names == ("pet", "background", "border")
    assert len(dataset.samples("train")) == 4
    assert dataset.read(dataset.samples("train")[0])[1][0].tolist() == [0, 1, 2, 0, 1, 2]


@needs_tensorflow
def test_pets_offline_is_a_sentence(run, install, tmp_path: Path) -> None:
    """Against FakeDatasets, not the real package: see there."""
    install(FakeDatasets(ConnectionError("Name or service not known")))
    result = run("import", "pets", "--out", tmp_path / "pets")
    assert result.exit_code == 1
    assert "could not be downloaded (Name or service not known); check the network" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_spec("tensorflow_datasets") is not None, reason="tensorflow-datasets is installed here")
def test_pets_not_installed_names_the_extra(run, tmp_path: Path) -> None:
    result = run("import", "pets", "--out", tmp_path / "pets")
    assert result.exit_code == 1
    assert "pip install 'edge-seg[pets]'" in result.stderr
