"""The results file, the text made from it, and the figures of the device."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench_fixtures import MACHINE, MODELS, ROWS, board, measurement, model, results, row
from edge_seg.errors import BenchmarkError
from edge_seg_bench.assembly import display_names
from edge_seg_bench.device_figures import Target, figure_of_samples, make_report, report_markdown, verdict
from edge_seg_bench.device_pipeline import bracketed_ratios
from edge_seg_bench.machine import busy_note, describe_machine
from edge_seg_bench.memory import parse_peak_rss, peak_rss_bytes
from edge_seg_bench.rendering import markdown, speedup_words
from edge_seg_bench.results import Comparison, DelegateUse, RowKey, read_results, reference_row, write_results
from edge_seg_bench.statistics import RatioInterval
from edge_seg_bench.wording import ms


def test_results_survive_the_file(tmp_path: Path) -> None:
    write_results(tmp_path / "new" / "results.json", results())
    assert read_results(tmp_path / "new" / "results.json") == results()


@pytest.mark.parametrize(
    "where",
    [
        (),
        ("boards", 0),
        ("boards", 0, "machine"),
        ("boards", 0, "settings"),
        ("boards", 0, "models", 0),
        ("boards", 0, "rows", 0),
        ("boards", 0, "rows", 0, "measurement", "latency"),
    ],
)
def test_an_unknown_key_is_refused_anywhere(tmp_path: Path, where: tuple[str | int, ...]) -> None:
    data = results().model_dump(mode="json")
    place: Any = data
    for step in where:
        place = place[step]
    place["surprise"] = 1
    (tmp_path / "results.json").write_text(json.dumps(data))
    with pytest.raises(BenchmarkError, match="surprise"):
        read_results(tmp_path / "results.json")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty; `edge-seg bench MODEL --out DIR` writes a result"),
        (" \n", "empty"),
        ("{", "not JSON (Expecting property name"),
        ("\xff", "not JSON ("),
        ("[]", "names no schema_version and is no benchmark result"),
        ("{}", "names no schema_version and is no benchmark result"),
        ('{"schema_version": "2"}', "names no schema_version and is no benchmark result"),
        ('{"schema_version": 1}', "of schema 1, and this edge-seg reads schema 2; measure again with `edge-seg bench"),
        ('{"schema_version": 3, "boards": []}', "of schema 3, and this edge-seg reads schema 2; update edge-seg"),
        ('{"schema_version": 2}', "no benchmark result of schema 2 (boards: Field required); measure again"),
    ],
)
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "results.json").write_text(text, encoding="latin-1")
    with pytest.raises(BenchmarkError, match=rf"results\.json: .*{re.escape(sentence)}"):
        read_results(tmp_path / "results.json")


@pytest.mark.parametrize(
    ("where", "value", "sentence"),
    [
        (("boards",), [], "no board was measured"),
        (("boards", 0, "rows", 0, "model"), "ghost", "a row is of the model 'ghost', which is none of the board's"),
        (("boards", 0, "rows", 1, "model"), "int8", "two rows are called the same"),
        (("boards", 0, "models", 1, "name"), "int8", "two models are called the same"),
        (("boards", 0, "rows", 0, "error"), "it failed", "a row has either a measurement or an error"),
        (("boards", 0, "rows", 2, "error"), None, "a row has either a measurement or an error"),
        (("boards", 0, "rows", 0, "measurement", "blocks_ms"), [], "a row without samples"),
        (("boards", 0, "rows", 0, "measurement", "blocks_ms"), [[1.0], []], "a row without samples"),
        (("boards", 0, "rows", 0, "measurement", "blocks_ms"), [[1.0, 0.0]], "a latency of 0 ms"),
        (("boards", 0, "rows", 0, "measurement", "latency", "p50_ms"), 1e300, "a latency of 1e+300 ms"),
        (("boards", 0, "rows", 0, "measurement", "latency", "p50_ms"), float("nan"), "finite number"),
        (("boards", 0, "comparisons", 0, "speedup", "ratio"), 0.0, "a speed-up of 0"),
        (("boards", 0, "settings", "threads"), [], "measure nothing"),
        (("boards", 0, "settings", "seed"), -1, "measure nothing"),
    ],
)
def test_what_contradicts_itself_is_refused(
    tmp_path: Path, where: tuple[str | int, ...], value: object, sentence: str
) -> None:
    data = results().model_dump(mode="json")
    place: Any = data
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    (tmp_path / "results.json").write_text(json.dumps(data))
    with pytest.raises(BenchmarkError, match=re.escape(sentence)):
        read_results(tmp_path / "results.json")


def test_brackets_without_end_are_no_result(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[" * 200_000)
    with pytest.raises(BenchmarkError, match="not JSON"):
        read_results(tmp_path / "results.json")


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"none\.json: No such file"):
        read_results(tmp_path / "none.json")
    with pytest.raises(BenchmarkError, match=r"Is a directory; `edge-seg bench MODEL --out DIR` writes one"):
        read_results(tmp_path)


def test_the_reference_is_the_float32_model_else_the_first_measured() -> None:
    unmeasured_float = row("float32", None)
    assert reference_row(board()) is ROWS[1]
    assert reference_row(board((unmeasured_float, ROWS[0]))) is ROWS[0]
    assert reference_row(board((unmeasured_float,))) is None


def test_every_measured_row_is_compared_with_the_reference() -> None:
    (comparison,) = board().comparisons
    assert (comparison.reference.model, comparison.row.model, comparison.verdict) == ("float32", "int8", "faster")
    assert comparison.speedup.ratio == pytest.approx(2)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "words"),
    [
        (2.0, 1.9, 2.1, "2× faster [1.9, 2.1]"),
        (0.5, 0.4, 0.8, "2× slower [1.25, 2.5]"),
        (1.0, 0.97, 1.03, "no difference [0.97, 1.03]"),
        (0.99, 0.95, 1.02, "no difference [0.95, 1.02]"),
        (3.0, None, None, "3× faster (too few runs for an interval)"),
    ],
)
def test_speed_up_in_words(ratio: float, low: float | None, high: float | None, words: str) -> None:
    speedup = RatioInterval(ratio, low, high)
    comparison = Comparison(
        reference=RowKey("a", "litert", 1), row=RowKey("b", "litert", 1), speedup=speedup, verdict=speedup.verdict
    )
    assert speedup_words(comparison) == words


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "0.12"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (1790.4, "1,790")]
)
def test_milliseconds_have_three_digits(value: float, text: str) -> None:
    assert ms(value) == text


def test_markdown_has_a_line_a_model_and_a_sentence_a_failure() -> None:
    failing = row("a|<b>", None, notes=("slow",), threads=2)
    text = markdown(results(board((*ROWS[:2], failing), (*MODELS, model("a|<b>", "int8")))))
    assert "| int8 | int8 | litert, 1 thread | 2.00 |" in text
    assert "2× faster" in text
    assert "100% in 1" in text
    assert "| a\\|&lt;b> | int8 |" in text
    assert "- a|&lt;b> (litert, 2 threads): slow" in text
    assert "- a|&lt;b> (litert, 2 threads): not measured: it is broken" in text


def test_operations_that_stay_outside_the_delegate_are_named() -> None:
    half = DelegateUse(partitions=9, delegated_nodes=40, total_nodes=70, left_out={"TRANSPOSE_CONV": 20, "ARG_MAX": 10})
    text = markdown(results(board((row("int8", 2.0, measurement=measurement(2.0, half)),))))
    assert "57% in 9" in text
    assert "- int8 (litert, 1 thread): the delegate left out 30 of 70 nodes: 20 TRANSPOSE_CONV, 10 ARG_MAX" in text
    assert "left out" not in markdown(results())


def test_the_accuracy_a_model_file_records_is_a_column_of_its_own() -> None:
    assert "mIoU" not in markdown(results())
    with_metric = (model("int8", "int8", recorded_metrics={"miou": 0.7312}), *MODELS[1:])
    assert "0.731" in markdown(results(board(models=with_metric)))


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["a/x.tflite", "a/y.tflite"], ["x", "y"]),
        (["a/x.tflite", "b/x.tflite"], ["a/x", "b/x"]),
        (["x.tflite", "x.tflite"], ["x", "x"]),
        (["a/x.bin"], ["x.bin"]),
        (["a/x", "a/x.tflite"], ["x", "x.tflite"]),
        (["x.tflite", "a/x.tflite"], ["x", "a/x"]),
    ],
)
def test_names_are_as_short_as_they_can_be(models: list[str], names: list[str]) -> None:
    assert display_names([Path(model) for model in models]) == names


def test_machine_of_a_raspberry_pi_is_read_from_its_files(tmp_path: Path) -> None:
    files = {
        "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n",
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    machine = describe_machine(tmp_path)
    assert (machine.cpu_model, machine.board) == ("Cortex-A76", "Raspberry Pi 5 Model B Rev 1.0")
    assert (machine.os, machine.cpu_governor) == ("Debian GNU/Linux 12 (bookworm)", None)


def test_a_busy_machine_is_said() -> None:
    assert busy_note(MACHINE) is None
    assert "load 3.2 on 4 cores" in (busy_note(MACHINE.model_copy(update={"load_average": 3.2})) or "")


def test_peak_memory_is_the_high_water_mark() -> None:
    assert parse_peak_rss("VmPeak:\t  9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t 3 kB\n") == 2048 * 1024
    assert peak_rss_bytes() > 1_000_000
    with pytest.raises(BenchmarkError, match="ended"):
        parse_peak_rss("State:\tZ (zombie)\n")


def test_pipeline_ratio_is_taken_against_the_blocks_around_it() -> None:
    assert bracketed_ratios([3.0, 8.0], [1.0, 2.0, 6.0]) == [2.0, 2.0]


@pytest.mark.parametrize(
    ("samples", "bound", "limit", "said"),
    [
        ([1.1, 1.1, 1.1], "≤", 1.25, "met"),
        ([1.25], "≤", 1.25, "met"),
        ([1.5], "<", 1.5, "NOT met"),
        ([12.0], "≥", 10, "met"),
        ([9.0], "≥", 10, "NOT met"),
        ([1.0, 1.2, 1.9], "≤", 1.25, "met (interval crosses)"),
    ],
)
def test_a_figure_is_held_against_its_target(samples: list[float], bound: str, limit: float, said: str) -> None:
    figure = figure_of_samples("x", "s", samples, Target.model_validate({"bound": bound, "value": limit}))
    assert verdict(figure) == said
    text = report_markdown(make_report(MACHINE, "m", [figure], ["y: it broke"]), "a machine")
    assert f"| {said} |" in text
    assert "- y: it broke" in text


def test_threads_are_held_against_the_fewest_in_whatever_order_they_were_given() -> None:
    rows = tuple(row("int8", 8.0 / threads, threads=threads) for threads in (4, 1, 2))
    scalings = board(rows, MODELS[:1]).scalings
    assert [(scaling.reference.threads, scaling.row.threads) for scaling in scalings] == [(1, 4), (1, 2)]
    assert [scaling.speedup.ratio for scaling in scalings] == pytest.approx([4, 2])
