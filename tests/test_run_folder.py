"""Run folders that are damaged."""

import zipfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_seg.errors import EdgeSegError
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path)
    folder.write_config(RunConfig(data=Path("pets")))
    with zipfile.ZipFile(folder.best_model_path, "w") as archive:
        archive.writestr("config.json", "{}")
    return folder


def test_what_is_written_is_read(run: RunFolder) -> None:
    assert run.read_config() == RunConfig(data=Path("pets"))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.toml", b"%%%", r"config\.toml: is not TOML .Invalid statement"),
        ("config.toml", b"\xff", r"config\.toml: is not TOML .*utf-8"),
        ("config.toml", b'data = "x"\nfoo = 1', r"config\.toml: foo: Extra inputs are not permitted"),
        ("best.keras", b"PK\x03\x04", r"best\.keras: is damaged"),
    ],
)
def test_damage_is_one_sentence(run: RunFolder, name: str, content: bytes, sentence: str) -> None:
    (run.path / name).write_bytes(content)
    with pytest.raises(EdgeSegError, match=sentence) as caught:
        run.read_config()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"seed": -1}, {"seed": 2**32}, {"learning_rate": float("inf")}, {"width": 33}])
def test_settings_that_no_run_can_have(options) -> None:
    with pytest.raises(ValidationError):
        RunConfig(data=Path("pets"), **options)
