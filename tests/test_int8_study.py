"""The figures of docs/int8.md are those that were recorded."""

import json
from pathlib import Path

import pytest

pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg_convert.int8_study import ALL_STEPS, COUNTS, SEEDS, Trial
from edge_seg_convert.int8_tables import calibration_table, forms_table, seconds_table, steps_table

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "int8.md").read_text(encoding="utf-8")
TRIALS = [Trial(**trial) for trial in json.loads((ROOT / "benchmarks/results/int8_study.json").read_text())]


@pytest.mark.parametrize("table", [steps_table, calibration_table, seconds_table])
def test_tables_say_what_was_recorded(table) -> None:
    assert table(TRIALS) in DOCUMENT


def test_forms_are_those_that_were_measured() -> None:
    assert forms_table(ROOT / "benchmarks/results/graph_study") in DOCUMENT


@pytest.mark.parametrize("run", ["pets-128", "tutorial", "fire", "flood", "trash"])
def test_int8_as_it_is_converted_loses_at_most_a_tenth_of_a_point(run: str) -> None:
    (made,) = [trial for trial in TRIALS if trial.run == run and trial.steps == ALL_STEPS]
    assert made.drop_points <= 0.1


def test_every_set_was_tried_with_every_seed() -> None:
    sets = [trial for trial in TRIALS if trial.run == "pets-128" and trial.steps == "all"]
    assert len(sets) == len(COUNTS) * 2 * len(SEEDS)
