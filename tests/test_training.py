"""Training runs that cannot start, or end before there is a model."""

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from typer.testing import CliRunner

from edge_seg.cli.app import build_app
from edge_seg.dataset import SplitPolicy
from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig
from edge_seg.synthetic import generate_dataset
from edge_seg_train.cli.options import resolved_config
from edge_seg_train.training import start


class StopsAtOnce:
    """Progress of a run that is ended before its first epoch is done."""

    def begin(self, config: RunConfig, steps_per_epoch: int, done: object) -> None:
        raise RuntimeError("ended early")

    def step(self, loss: float) -> None: ...

    def epoch(self, epoch: object, is_best: bool) -> None: ...


@pytest.mark.parametrize("there_already", [False, True])
def test_a_run_without_a_model_leaves_nothing(tmp_path: Path, there_already: bool) -> None:
    generate_dataset(tmp_path / "data", count=4, size=96, split=SplitPolicy(val=0.25), numbers=range(4))
    config = RunConfig(
        data=tmp_path / "data", width=96, height=96, alpha=0.35, batch_size=1, epochs=1, encoder_weights="none"
    )
    out = tmp_path / "runs" / "x"
    if there_already:
        out.mkdir(parents=True)
    with pytest.raises(RuntimeError, match="ended early"):
        start(config, out, StopsAtOnce())
    assert out.parent.exists() == there_already
    assert list(tmp_path.glob("runs/x/*")) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--data", "gone"], "no run folder to make; name it with --out"),
        (["--out", "run"], "no data set to train on; name its folder with --data"),
        (
            ["--resume", "run", "--epochs", "3"],
            "--resume goes on as the run began; only --data, --cache and --strategy may change; leave out --epochs",
        ),
        (["--epochs", "3", "show", "run"], "options of show stand after its name; leave out --epochs"),
        (["--out", "run", "--config", "absent.toml"], "absent.toml: no such file"),
    ],
)
def test_command_lines_that_say_too_little_or_too_much(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(
        build_app("train"), ["train", *arguments, *(["--data", "gone"] if not arguments else [])]
    )
    assert result.exit_code == 1
    assert sentence in result.stderr


def test_flags_win_over_a_recipe_and_blame_goes_to_the_right_one(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('data = "pets"\nepochs = 7\nwidth = 160\nalpha = 0.35\n')
    config = resolved_config(recipe, {"epochs": 9, "size": None, "seed": 3})
    assert (config.epochs, config.width, config.height, config.alpha, config.seed) == (9, 160, 128, 0.35, 3)
    assert resolved_config(recipe, {"size": "256x192"}).height == 192
    with pytest.raises(TrainingError, match=r"^--batch-size: "):
        resolved_config(recipe, {"batch_size": 0})
    recipe.write_text('data = "pets"\nepoch = 7\n')
    with pytest.raises(TrainingError, match=r"recipe\.toml: epoch: Extra inputs"):
        resolved_config(recipe, {"epochs": 9})


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--size", "²"], 1, "--size '²' is no size"),
        (["--size", "33"], 1, "--size: a side is a multiple of 32"),
        (["--learning-rate", "inf"], 1, "--learning-rate: Input should be a finite number"),
        (["--seed", "99999999999"], 1, "--seed: Input should be less than"),
        (["--seed", "-1"], 2, "--seed"),
    ],
)
def test_options_no_run_can_have(tmp_path: Path, options: list[str], code: int, sentence: str) -> None:
    out = tmp_path / "run"
    result = CliRunner().invoke(build_app("train"), ["train", "--data", "gone", "--out", str(out), *options])
    assert result.exit_code == code
    assert sentence in result.stderr
    assert not out.exists()
