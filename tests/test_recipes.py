"""The recipes: configurations that can be run, and figures that their results bear out."""

import csv
import re
from pathlib import Path

import pytest

from edge_seg_train.cli.options import resolved_config
from edge_seg_train.history import best_epoch, read_history

FOLDER = Path(__file__).parents[1] / "train" / "recipes"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.toml"))
TABLE = {
    match[1]: line.split("|")
    for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    if (match := re.match(r"\| \[`([\w-]+)`\]", line))
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_a_configuration(name: str) -> None:
    assert resolved_config(FOLDER / f"{name}.toml", {}).epochs >= 1


def test_every_recipe_has_its_row() -> None:
    assert sorted(TABLE) == RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_the_row_says_what_the_run_recorded(name: str) -> None:
    history = FOLDER / "results" / f"{name}.csv"
    best, header = best_epoch(read_history(history)), history.read_text(encoding="utf-8").splitlines()[0].split(",")
    classes = [column.removeprefix("val_iou_") for column in header if column.startswith("val_iou_")]
    _, _, _, miou, int8, _, ious, *_ = TABLE[name]
    assert miou.strip() == f"{best.scores.miou:.4f}"
    told = dict(re.findall(r"([a-z ]+?) (0\.\d{3})", ious))
    assert told
    for class_name, value in told.items():
        assert value == f"{best.scores.iou[classes.index(class_name.strip())]:.3f}", class_name
    with (FOLDER / "results" / "int8.csv").open(encoding="utf-8") as file:
        converted = {row["recipe"]: row["int8_miou"] for row in csv.DictReader(file)}
    assert int8.strip() == converted.get(name, "–")
