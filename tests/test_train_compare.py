"""Runs compared: the pure parts as tables, and one small comparison through the command line."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from typer.testing import CliRunner
from typer.testing import Result as Outcome

from edge_seg.classes import make_classes
from edge_seg.cli.app import build_app
from edge_seg.dataset import SplitPolicy
from edge_seg.metrics import Scores
from edge_seg.run_config import RunConfig
from edge_seg.synthetic import generate_dataset
from edge_seg_train.comparison.experiments import (
    BASE,
    VARIANTS,
    Result,
    VariantName,
    as_records,
    chosen_variants,
    compare,
    differing_fields,
    seconds_to_reach,
)
from edge_seg_train.comparison.table import (
    TextTable,
    difference_table,
    iou_table,
    markdown,
    run_table,
    setting,
    variant_table,
)
from edge_seg_train.history import Epoch, duration
from edge_seg_train.training import start

NAN = float("nan")
CONFIG = RunConfig(data=Path("data"), epochs=15)


def epochs_of(mious: Sequence[float], seconds: float = 10.0) -> list[Epoch]:
    return [
        Epoch(number, 0.5, 0.4, Scores((miou, miou), 0.9), 1e-3, seconds, 0.0) for number, miou in enumerate(mious, 1)
    ]


def result_of(name: str, mious: Sequence[float], seconds: float = 10.0, **options: Any) -> Result:
    config = RunConfig.model_validate({"data": "data", "epochs": 15} | options)
    return Result(name, config, make_classes(["background", "leaf"]), epochs_of(mious, seconds))


@pytest.mark.parametrize("variant", VARIANTS[1:], ids=lambda variant: variant.name)
def test_a_variant_changes_what_it_says_and_nothing_else(variant: Any) -> None:
    shared = {"data": "data", "epochs": 15}
    base, other = (RunConfig.model_validate(shared | dict(each.options)) for each in (BASE, variant))
    changed = {
        "dropout": ["dropout"],
        "fine-tuned": ["fine_tune"],
        "input-0-1": ["input_range"],
        "transpose": ["decoder"],
        "dropout-fine-tuned": ["dropout", "fine_tune"],
    }
    assert differing_fields([base, other]) == changed[variant.name]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ([], list(VariantName)),
        (["base"], ["base"]),
        (["transpose", "dropout", "dropout"], ["dropout", "transpose"]),
    ],
)
def test_variants_are_chosen_by_name_in_one_order(asked: list[str], names: list[str]) -> None:
    chosen = chosen_variants([VariantName(name) for name in asked])
    assert sorted(variant.name for variant in chosen) == sorted(names)
    assert list(chosen) == [variant for variant in VARIANTS if variant in chosen]


@pytest.mark.parametrize(
    ("mious", "target", "seconds"),
    [
        ([0.2, 0.5, 0.6], 0.5, 20.0),
        ([0.2, 0.5, 0.6], 0.0, 10.0),
        ([0.2, 0.5, 0.4], 0.6, None),
        ([0.5, 0.1, 0.5], 0.5, 10.0),
        ([0.5], None, None),
        ([NAN, 0.5], 0.5, 20.0),
    ],
)
def test_the_time_to_a_miou_adds_up_epochs(mious: list[float], target: float | None, seconds: float | None) -> None:
    assert seconds_to_reach(epochs_of(mious), target) == seconds


def test_gain_and_target_are_the_bases() -> None:
    results = {"dropout": result_of("dropout", [0.3, 0.35]), "base": result_of("base", [0.2, 0.4])}
    comparison = compare(results, {"base": 7, "dropout": 8})
    assert comparison.target_miou == pytest.approx(0.38)
    base, dropout = comparison.runs
    assert (base.variant.name, base.gain, base.seconds_to_target, base.trained_parameters) == ("base", None, 20.0, 7)
    assert dropout.gain == pytest.approx(-0.05)
    assert dropout.seconds_to_target is None
    assert compare(results, {"base": 7, "dropout": 8}, target_miou=0.3).runs[1].seconds_to_target == 10.0


def test_without_the_base_there_is_no_gain_and_no_target() -> None:
    comparison = compare({"dropout": result_of("dropout", [0.3])}, {"dropout": 8})
    (record,) = as_records(comparison)["variants"]
    assert (comparison.target_miou, record["gain"], record["seconds_to_target"]) == (None, None, None)
    assert variant_table(comparison).rows[0][3:7] == ("–", "1 of 1", "10.0", "–")


def test_the_table_says_what_was_not_reached() -> None:
    results = {"base": result_of("base", [0.2, 0.4], 61.2), "dropout": result_of("dropout", [0.35])}
    table = variant_table(compare(results, {"base": 1234567, "dropout": 8}))
    assert table.headings[6] == "time to mIoU 0.380"
    assert table.rows == (
        ("base", "–", "0.400", "–", "2 of 2", "61.2", "2 min 02 s", "1,234,567"),
        ("dropout", "dropout 0.5 in the decoder", "0.350", "-0.050", "1 of 1", "10.0", "not reached", "8"),
    )


def test_seconds_per_epoch_leave_out_the_one_that_compiles() -> None:
    slow_start = [*epochs_of([0.1], 90.0), *epochs_of([0.2, 0.3], 10.0)]
    assert Result("x", CONFIG, make_classes(["background", "leaf"]), slow_start).seconds_per_epoch == 10.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_durations_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(True, "yes"), (False, "no"), (None, "–"), (0.5, "0.5"), (1, "1")])
def test_settings_as_text(value: Any, text: str) -> None:
    assert setting(value) == text


def test_runs_of_other_classes_have_gaps() -> None:
    one = Result("one", CONFIG, make_classes(["background", "leaf"]), epochs_of([0.5]))
    scores = Scores((0.25, NAN), 0.9)
    two = Result("two", CONFIG, make_classes(["background", "stone"]), [Epoch(1, 1, 1, scores, 1e-3, 1, 0)])
    table = iou_table([one, two])
    assert table.headings == ("run", "background", "leaf", "stone")
    assert table.rows == (("one", "0.500", "0.500", "–"), ("two", "0.250", "–", "–"))


def test_differences_are_those_fields_alone() -> None:
    runs = [result_of("one", [0.5]), result_of("two", [0.5], dropout=0.5, fine_tune=False)]
    table = difference_table(runs)
    assert table is not None
    assert table.headings == ("run", "dropout", "fine_tune")
    assert table.rows == (("one", "0.0", "yes"), ("two", "0.5", "no"))
    assert difference_table(runs[:1]) is None


def test_tables_turn_and_divide() -> None:
    table = TextTable(("run", "a", "b", "c"), (("x", "1", "2", "3"), ("y", "4", "5", "6")))
    assert table.transposed("class") == TextTable(
        ("class", "x", "y"), (("a", "1", "4"), ("b", "2", "5"), ("c", "3", "6"))
    )
    assert [block.headings for block in table.blocks(2)] == [("run", "a", "b"), ("run", "c")]
    assert table.blocks(2)[1].rows == (("x", "3"), ("y", "6"))
    assert table.blocks(9) == [table]


def test_markdown_keeps_a_bar_in_its_cell() -> None:
    assert markdown(TextTable(("run", "n"), (("a|b", "1"),))) == "| run | n |\n| --- | ---: |\n| a\\|b | 1 |"


def test_an_unfinished_run_shows_how_far_it_is() -> None:
    result = result_of("one", [0.1, 0.2])
    assert run_table([result]).rows[0][4] == "2"
    half = Result("one", result.config, result.classes, result.epochs, finished=False)
    assert run_table([half]).rows[0][4] == "2 of 15"


class StopsAfterOneEpoch:
    """Progress of a run that Ctrl-C ends after its first epoch."""

    def begin(self, config: RunConfig, steps_per_epoch: int, done: object) -> None: ...

    def step(self, loss: float) -> None: ...

    def epoch(self, epoch: object, is_best: bool) -> None:
        raise KeyboardInterrupt


def train(*words: object) -> Outcome:
    return CliRunner().invoke(build_app("train"), ["train", *map(str, words)], env={"COLUMNS": "80"})


def compare_two(root: Path, *more: object) -> Outcome:
    network = ("--size", 96, "--alpha", 0.35, "--encoder-weights", "none")
    folders = ("--data", root / "data", "--out", root / "out")
    only = ("--only", "dropout", "--only", "base")
    return train("compare", *folders, *network, "--batch-size", 4, "--epochs", 2, *only, *more)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison of two variants, the second of which was interrupted before."""
    root = tmp_path_factory.mktemp("compare")
    generate_dataset(root / "data", count=8, size=96, split=SplitPolicy(val=0.25), numbers=range(8))
    options: dict[str, Any] = {"data": root / "data", "width": 96, "height": 96, "alpha": 0.35, "batch_size": 4}
    dropout = RunConfig.model_validate(
        options | {"epochs": 2, "encoder_weights": "none", "fine_tune": False, "dropout": 0.5}
    )
    assert start(dropout, root / "out" / "dropout", StopsAfterOneEpoch()).interrupted
    outcome = compare_two(root)
    assert outcome.exit_code == 0, outcome.stderr
    assert "going on after epoch 1" in outcome.stderr
    return root


@pytest.mark.timeout(900)
def test_a_comparison_leaves_runs_and_a_report(compared: Path) -> None:
    out = compared / "out"
    names = {path.name for path in out.iterdir()}
    assert names == {"base", "dropout", "report.html", "report.md", "curves.png", "pictures.png"}
    for name in ("base", "dropout"):
        assert len((out / name / "history.csv").read_text().splitlines()) == 3
    page = (out / "report.html").read_text()
    assert not re.search(r"(src|srcset|href)=\"(?!data:)", page)
    assert "Not in this report, as they are not finished: fine-tuned," in page
    assert "| dropout | dropout 0.5 in the decoder |" in (out / "report.md").read_text()


@pytest.mark.timeout(900)
def test_nothing_is_trained_twice(compared: Path) -> None:
    kept = [compared / "out" / name / file for name in ("base", "dropout") for file in ("best.keras", "history.csv")]
    before = [path.stat().st_mtime_ns for path in kept]
    outcome = compare_two(compared, "--json", "--target-miou", "1")
    assert outcome.exit_code == 0, outcome.stderr
    assert outcome.stderr.count("finished already") == 2
    assert [path.stat().st_mtime_ns for path in kept] == before
    table = json.loads(outcome.stdout)
    assert table["target_miou"] == 1.0
    base, dropout = table["variants"]
    assert (base["name"], base["epochs"], base["seconds_to_target"]) == ("base", 2, None)
    assert base["trained_parameters"] == dropout["trained_parameters"] > 0
    assert set(base["iou"]) == {"background", "leaf", "stone"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            ["--epochs", 3],
            r"was begun with epochs 2, not with epochs 3, so .*give the settings it has, or another --out",
        ),
        (["--seed", 5, "--size", 128], r"width 96, height 96, seed 0, not with width 128, height 128, seed 5"),
        (["--alpha", 0.4], "--alpha: MobileNetV2 comes with"),
    ],
)
def test_settings_unlike_those_of_the_runs_there(compared: Path, more: list[Any], sentence: str) -> None:
    outcome = compare_two(compared, *more)
    assert outcome.exit_code == 1
    assert re.search(sentence, outcome.stderr)


@pytest.mark.timeout(900)
def test_show_fits_eighty_columns_and_says_what_differs(compared: Path) -> None:
    outcome = train("show", compared / "out" / "base", compared / "out" / "dropout")
    assert outcome.exit_code == 0, outcome.stderr
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert re.search(r"dropout +0\.5", outcome.stdout)
    for word in ("96×96", "0.35", "separable", "leaf", "IoU per class"):
        assert word in outcome.stdout


@pytest.mark.timeout(900)
def test_show_as_json_needs_no_tensorflow(compared: Path) -> None:
    script = "import sys; from edge_seg.cli import main\ntry: main()\nfinally: assert 'tensorflow' not in sys.modules"
    runs = [str(compared / "out" / name) for name in ("base", "dropout")]
    shown = subprocess.run(
        [sys.executable, "-c", script, "train", "show", *runs, "--json"], capture_output=True, text=True, check=True
    )
    base, dropout = json.loads(shown.stdout)
    assert (base["name"], base["size"], base["finished"], base["differs"]) == ("base", [96, 96], True, {"dropout": 0.0})
    assert dropout["differs"] == {"dropout": 0.5}
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        ([], "is no run"),
        (["config.toml"], "has no epoch yet; go on with it by  edge-seg train --resume"),
    ],
)
def test_show_of_what_is_no_run(tmp_path: Path, make: list[str], sentence: str) -> None:
    for name in make:
        (tmp_path / name).write_text('data = "data"\n')
    outcome = train("show", tmp_path)
    assert outcome.exit_code == 1
    assert sentence in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_show_leaves_out_what_is_no_run(tmp_path: Path) -> None:
    run, report = tmp_path / "run", tmp_path / "report.html"
    run.mkdir()
    (run / "config.toml").write_text('data = "data"\n')
    report.write_text("")
    outcome = train("show", run, report)
    assert f"left out, as they are no runs: {report}" in outcome.stderr
    assert "has no epoch yet" in outcome.stderr, "the run itself is looked at"


def test_one_run_is_not_compared_with_itself(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "config.toml").write_text('data = "data"\n')
    outcome = train("show", tmp_path, tmp_path / "." / "x" / "..")
    assert outcome.exit_code == 1
    assert "is named more than once" in outcome.stderr


def test_a_cluster_is_no_place_to_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", "{}")
    outcome = train("compare", "--data", "gone", "--out", tmp_path / "out")
    assert outcome.exit_code == 1
    assert "train compare runs on one machine; unset TF_CONFIG" in outcome.stderr


def test_a_variant_that_is_none(tmp_path: Path) -> None:
    outcome = train("compare", "--data", "gone", "--out", tmp_path / "out", "--only", "dropuot")
    assert outcome.exit_code == 2
    assert "dropuot" in outcome.stderr
