"""Measuring the input pipeline against the learner."""

import json
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import typer
from typer.testing import CliRunner

from edge_seg.cli.reporting import reporting
from edge_seg.dataset import SplitPolicy
from edge_seg.synthetic import generate_dataset
from edge_seg_train import learner
from edge_seg_train.input_speed import InputSpeed, Speed, command, pictures_per_second
from training_processes import tiny_unet


def test_a_table_of_one_line() -> None:
    found = InputSpeed(Speed.of([100, 90, 120]), Speed.of([1500.4, 900, 1600]), Speed.of([300, 290, 310]))
    assert found.ratio == pytest.approx(5.0, abs=0.01)
    assert found.markdown().splitlines()[-1] == "| 100 (90–120) | 1,500 (900–1,600) | 300 (290–310) | 5.0 |"


def test_the_call_that_sets_things_up_is_not_counted() -> None:
    calls: list[int] = []
    assert pictures_per_second(lambda: calls.append(1), 4, 16) > 0
    assert len(calls) == 5


def run(*arguments: object):
    app = typer.Typer()
    app.command()(reporting(command))
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.mark.timeout(240)
def test_the_command_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate_dataset(tmp_path / "data", count=6, size=96, split=SplitPolicy(val=0.25), numbers=range(6))
    monkeypatch.setattr(learner, "build_unet", tiny_unet)
    small = ("--size", 96, "--batch-size", 2, "--rounds", 2, "--steps", 3)
    result = run("--data", tmp_path / "data", *small, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    for name in ("files", "cached", "learner"):
        assert 0 < found[name]["lowest"] <= found[name]["median"] <= found[name]["highest"]
    assert found["ratio"] == pytest.approx(found["cached"]["median"] / found["learner"]["median"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_no_data_set_is_one_sentence(tmp_path: Path) -> None:
    result = run("--data", tmp_path / "gone")
    assert result.exit_code == 1
    assert result.stderr.startswith("edge-seg: ")
    assert "gone" in result.stderr
