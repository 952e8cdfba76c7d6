"""Comparing, merging and sharing of results files, as functions and as commands."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from bench_fixtures import MACHINE, board, extras, full_board, measurement, model, results, row
from edge_seg.errors import BenchmarkError
from edge_seg_bench.changes_text import sentences
from edge_seg_bench.cli.percentages import parse_percentage
from edge_seg_bench.comparing import change_of, compare_boards, failures
from edge_seg_bench.merging import merge_files
from edge_seg_bench.results import Board, Results, read_results, write_results
from edge_seg_bench.sharing import PrivateWords, anonymous
from edge_seg_bench.statistics import RatioInterval


def timed(*medians_ms: float | None, **machine: object) -> Board:
    """A board with a model for each median, m0, m1 and so on."""
    models = tuple(model(f"m{index}", "int8") for index in range(len(medians_ms)))
    rows = tuple(row(f"m{index}", median_ms) for index, median_ms in enumerate(medians_ms))
    return board(rows, models).model_copy(update={"machine": MACHINE.model_copy(update=machine)})


@pytest.mark.parametrize(
    ("low", "high", "change"),
    [(1.1, 1.2, "slower"), (0.8, 0.9, "faster"), (0.9, 1.1, "no difference"), (None, None, "too few runs")],
)
def test_an_interval_without_one_in_it_is_a_change(low: float | None, high: float | None, change: str) -> None:
    assert change_of(RatioInterval(1.0, low, high)) == change


@pytest.mark.parametrize(
    ("factor", "change", "fails_on_5"),
    [(1.0, "no difference", False), (1.03, "slower", False), (1.3, "slower", True), (0.7, "faster", False)],
)
def test_a_row_is_slower_by_its_factor(factor: float, change: str, fails_on_5: bool) -> None:
    changes = compare_boards(timed(4.0), timed(4.0 * factor))
    (only,) = changes.rows
    assert only.change == change
    assert only.time.ratio == pytest.approx(factor)
    assert failures(changes, 0.05) == ([only.row] if fails_on_5 else [])


@pytest.mark.parametrize(("low", "fails_on_5"), [(1.04, False), (1.051, True), (None, False)])
def test_the_whole_interval_must_be_beyond_the_margin(low: float | None, fails_on_5: bool) -> None:
    changes = compare_boards(timed(4.0), timed(4.4))
    (only,) = changes.rows
    time = RatioInterval(1.1, low, low and 1.2)
    judged = changes.model_copy(update={"rows": (only.model_copy(update={"time": time}),)})
    assert failures(judged, 0.05) == ([only.row] if fails_on_5 else [])


def test_what_only_one_has_is_named_and_a_row_that_fails_now_fails() -> None:
    old = timed(1.0, 2.0, None)
    new = timed(1.0, None, 3.0, 4.0)
    changes = compare_boards(old, new)
    assert [each.row.model for each in changes.failed] == ["m1"]
    assert failures(changes, 0.05) == [("m1", "litert", 1)]
    assert [key.model for key in changes.added] == ["m2", "m3"]
    assert [key.model for key in compare_boards(new, timed(1.0)).missing] == ["m2", "m3"]
    with pytest.raises(BenchmarkError, match=r"no row in common: the old one measured m0 \(litert, 1\), the new one x"):
        compare_boards(timed(1.0), board((row("x", 1.0),), (model("x", "int8"),)))


def test_accuracy_memory_and_circumstances_are_said() -> None:
    old = board((row("int8", 2.0),), (model("int8", "int8", **extras(0.70, "int8")),))
    bigger = measurement(2.0).model_copy(update={"peak_rss_bytes": 90_000_000, "runtime_version": "2.4.0"})
    new = board(
        (row("int8", 2.0, measurement=bigger),), (model("int8", "int8", size_bytes=3, **extras(0.68, "int8")),)
    ).model_copy(update={"machine": MACHINE.model_copy(update={"cpu_governor": "performance", "load_average": 2.0})})
    said = "\n".join(sentences(compare_boards(old, new)))
    assert "int8: mIoU on pets (val) 0.7000, now 0.6800: -2.00 points" in said
    assert "int8 (litert, 1 thread): peak memory 70 MB, now 90 MB" in said
    assert "litert: 2.3.0, now 2.4.0" in said
    assert "cpu governor: ondemand, now performance" in said
    assert "int8: a file of 2,500,000 bytes, now 3" in said
    assert "new: the machine was busy" in said
    assert "two machines" not in said


def test_what_only_one_tells_is_no_difference() -> None:
    silent = timed(4.0, cpu_governor=None, board=None)
    changes = compare_boards(silent, timed(4.0))
    assert (changes.other_machine, changes.differences) == ((), ())


def test_pictures_that_are_not_the_same_are_not_compared() -> None:
    fields = extras(0.70, "int8")
    fields["accuracy"] = fields["accuracy"].model_copy(update={"images": 3, "miou": 0.1})  # type: ignore[attr-defined]
    old = board((row("int8", 2.0),), (model("int8", "int8", **extras(0.70, "int8")),))
    new = board((row("int8", 2.0),), (model("int8", "int8", **fields),))
    assert compare_boards(old, new).accuracies == ()


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    code = "from edge_seg.cli import main; main()"
    command = [sys.executable, "-c", code, "bench", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def recorded(path: Path, *boards: Board) -> Path:
    write_results(path, Results(boards=boards))
    return path


def test_compare_exits_with_one_when_something_is_slower(tmp_path: Path) -> None:
    old, new = recorded(tmp_path / "old.json", timed(4.0, 1.0)), recorded(tmp_path / "new.json", timed(5.0, 1.0))
    done = bench("compare", old, new, "--fail-on", "5%", "--json")
    assert done.returncode == 1
    assert done.stderr == ("edge-seg: 1 of 2 rows failed or became slower by more than 5%: m0 (litert, 1 thread)\n")
    assert [each["change"] for each in json.loads(done.stdout)["rows"]] == ["slower", "no difference"]
    fine = bench("compare", old, new, "--fail-on", "40%")
    assert fine.returncode == 0
    assert fine.stderr == "no row failed, and none became slower by more than 40%, beyond the noise\n"
    assert "1.250" in fine.stdout


def test_compare_of_two_machines_says_so_and_does_not_judge(tmp_path: Path) -> None:
    old = recorded(tmp_path / "old.json", timed(4.0))
    new = recorded(tmp_path / "new.json", timed(5.0, cpu_model="Cortex-A72"))
    done = bench("compare", old, new)
    assert done.returncode == 0
    assert "two machines (cpu model: Cortex-A76, now Cortex-A72)" in done.stdout
    judged = bench("compare", old, new, "--fail-on", "5%")
    assert judged.returncode == 1
    assert "--fail-on compares two results of one machine" in judged.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--fail-on", "0.05"), 2, "--fail-on takes a percentage such as 5%, not '0.05'"),
        ((), 1, "old.json: a benchmark result of schema 1"),
    ],
)
def test_compare_of_what_cannot_be_compared_is_a_sentence(
    tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    (tmp_path / "old.json").write_text('{"schema_version": 1}')
    done = bench("compare", tmp_path / "old.json", tmp_path / "old.json", *arguments)
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.replace("│", " ").split())


def test_merge_joins_boards_and_refuses_one_twice(tmp_path: Path) -> None:
    pi5 = recorded(tmp_path / "pi5.json", timed(2.0))
    pi4 = recorded(tmp_path / "pi4.json", timed(5.0, board="Raspberry Pi 4 Model B Rev 1.4"))
    done = bench("merge", pi4, pi5, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["Raspberry Pi 4 Model B", "Raspberry Pi 5 Model B"]
    files = ["latency.png", "report.html", "results.csv", "results.json", "results.md"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == files
    merged = read_results(tmp_path / "out/results.json")
    assert len(merged.boards) == 2
    again = bench("report", tmp_path / "out/results.json", "--out", tmp_path / "again")
    assert again.returncode == 0
    assert (tmp_path / "again/report.html").read_text() == (tmp_path / "out/report.html").read_text()
    twice = bench("merge", pi5, tmp_path / "out/results.json", "--out", tmp_path / "twice")
    assert twice.returncode == 1
    assert "the measurement of Raspberry Pi 5 Model B Rev 1.0 at 2026-01-01T00:00:00+00:00 is in" in twice.stderr
    assert not (tmp_path / "twice").exists()
    several = bench("compare", tmp_path / "out/results.json", pi5)
    assert "holds 2 boards, and one is needed" in several.stderr


def test_a_shared_file_is_the_same_measurement(tmp_path: Path) -> None:
    shared, _ = anonymous(results(full_board()), PrivateWords(frozenset(), frozenset()))
    recorded(tmp_path / "a.json", full_board())
    write_results(tmp_path / "b.json", shared)
    with pytest.raises(BenchmarkError, match=r"b\.json: the measurement of .* is in .*a\.json already"):
        merge_files([tmp_path / "a.json", tmp_path / "b.json"])


NOBODY = PrivateWords(frozenset(), frozenset())


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        ("/home/alice/my models/x.tflite: broken", "x.tflite: broken"),
        ("cannot read '/home/alice/x'", "cannot read 'x'"),
        ("~/x.tflite, /root/y and /mnt/disk/z/", "x.tflite, y and z"),
        ("Permission denied: /root", "Permission denied: user"),
        ("alice's pi5-lab.local said alice_x", "user's host said user_x"),
        ("malice 12 MACs / s, 3/4 and/or ./here", "malice 12 MACs / s, 3/4 and/or ./here"),
        ("file:///home/alice/x", "file:x"),
    ],
)
def test_names_and_folders_are_taken_out_of_sentences(said: str, clean: str) -> None:
    models = (model("m", "int8", path="/home/alice/my models/m.tflite"),)
    private = board((row("m", None, error=said, notes=("/root/x",)),), models)
    private = private.model_copy(update={"machine": MACHINE.model_copy(update={"host": "pi5-lab.local"})})
    shared, removed = anonymous(results(private), NOBODY)
    assert shared.boards[0].rows[0].error == clean
    assert shared.boards[0].models[0].path == "m.tflite"
    assert shared.boards[0].machine.host is None
    assert removed["the host name pi5-lab.local"] >= 1


def test_localhost_is_no_name() -> None:
    private = board((row("int8", None, error="localhost said no"),), (model("int8", "int8"),))
    private = private.model_copy(update={"machine": MACHINE.model_copy(update={"host": "localhost"})})
    shared, _ = anonymous(results(private), NOBODY)
    assert shared.boards[0].rows[0].error == "localhost said no"


def test_models_stay_different_from_each_other() -> None:
    names = ("alice/x", "user/x", "root/x")
    models = tuple(model(name, "int8", path=f"/home/{name}.tflite") for name in names)
    rows = tuple(row(name, 1.0 + index) for index, name in enumerate(names))
    known = PrivateWords(frozenset(), frozenset({"alice", "root"}))
    shared, _ = anonymous(results(board(rows, models)), known)
    (made,) = shared.boards
    kept = [each.name for each in made.models]
    assert len(set(kept)) == 3
    assert [each.model for each in made.rows] == kept
    assert {each.row.model for each in made.comparisons} <= set(kept)


def test_share_leaves_no_name_in_the_file(tmp_path: Path) -> None:
    private = full_board(host="pi5-lab")
    noted = private.rows[0].model_copy(update={"notes": ("pi5-lab: alice may not read /root/x or /home/alice",)})
    private = private.model_copy(update={"rows": (noted, *private.rows[1:])})
    source, out = recorded(tmp_path / "results.json", private), tmp_path / "shared.json"
    done = bench("share", source, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "removed the host name pi5-lab, 2×" in done.stdout
    assert "removed the user name alice" in done.stdout
    text = out.read_text()
    for word in ("pi5-lab", "alice", "/home", "/root", "root", "/models"):
        assert word not in text, word
    assert measured_part(read_results(out)) == measured_part(read_results(source))
    refused = bench("share", source, "--out", source)
    assert refused.returncode == 1
    assert "is the file that is read; give --out another name" in refused.stderr
    missing = bench("share", tmp_path / "none.json", "--out", out)
    assert missing.returncode == 1
    assert len(missing.stderr.splitlines()) == 1


def measured_part(recorded_results: Results) -> Any:
    return [[each.measurement for each in every.rows] for every in recorded_results.boards]


@pytest.mark.parametrize(("text", "share"), [("3%", 0.03), (" 2.5 % ", 0.025), ("0%", 0.0)])
def test_percentages(text: str, share: float) -> None:
    assert parse_percentage(text, "--fail-on") == pytest.approx(share)


@pytest.mark.parametrize("text", ["3", "-1%", "nan%", "", "3 percent", "٣%"])
def test_no_percentages(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"--fail-on takes a percentage such as 5%, not '{text}'"):
        parse_percentage(text, "--fail-on")
