"""One schema for flags, recipes and the config.toml of a run."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from edge_seg.errors import EdgeSegError
from edge_seg.run_config import RunConfig, read_config


def test_toml_says_everything(tmp_path: Path) -> None:
    config = RunConfig(data=Path("pets"), width=256, alpha=0.35, teacher=Path("runs/a"), seed=7)
    (tmp_path / "recipe.toml").write_text(config.to_toml())
    assert read_config(tmp_path / "recipe.toml") == config


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('data = "x"\nepoch = 3', "epoch: Extra inputs are not permitted; correct it"),
        ('data = "x"\nepochs = "many"', "epochs: Input should be a valid integer"),
        ('data = "x"\nepochs = 3\nfrozen_epochs = 3', "frozen_epochs 3 leaves none of 3 epochs"),
        ('data = "x"\nepochs = "40"', "epochs: Input should be a valid integer"),
        ('data = "x"\nepochs = 40.0', "epochs: Input should be a valid integer"),
        ('data = "x"\nepochs = true', "epochs: Input should be a valid integer"),
        ('data = "x"\nfine_tune = "false"', "fine_tune: Input should be a valid boolean"),
        (f'data = "x"\nepochs = {"9" * 400}', "epochs: Input should be less than or equal to 1000000"),
        ("epochs = 3", "data: Field required"),
        ("epochs = ", "is not TOML"),
    ],
)
def test_bad_recipes_are_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)
    with pytest.raises(EdgeSegError) as caught:
        read_config(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_recipe_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EdgeSegError, match="no such file"):
        read_config(tmp_path / "absent.toml")


def test_a_path_that_no_toml_can_hold_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no UTF-8"):
        RunConfig(data=Path("pets\udcff"))


@pytest.mark.parametrize("options", [{"encoder_rate": 0.0}, {"average": 1.0}, {"loss": "hinge"}, {"patience": -1}])
def test_values_no_run_can_have(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        RunConfig.model_validate({"data": "pets", **options})
