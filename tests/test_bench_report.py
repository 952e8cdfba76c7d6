"""The reports of a results file: CSV, page and charts."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from bench_fixtures import MODELS, ROWS, board, extras, full_board, measurement, model, results, row
from edge_seg_bench.board_names import board_names
from edge_seg_bench.report.accuracy_latency import RECORDED, Point, accuracy_groups, pareto_front
from edge_seg_bench.report.board_bars import common_rows
from edge_seg_bench.report.csv_table import COLUMNS, csv_text
from edge_seg_bench.report.files import write_reports
from edge_seg_bench.report.label_places import label_points, spread
from edge_seg_bench.report.page import page
from edge_seg_bench.report.precision_bars import family_of, precision_groups
from edge_seg_bench.report.svg import inline_svg, new_figure, on_colour, shortened
from edge_seg_bench.report.tables import work_table
from edge_seg_bench.report.thread_scaling import scaling_curves
from edge_seg_bench.results import Board, Peak, Results, Work, read_results, write_results
from edge_seg_bench.schema import schema_text
from edge_seg_bench.statistics import LatencySummary

TEXT_COLUMNS = {
    *("board", "created", "edge_seg_version", "cpu_model", "architecture", "os", "kernel", "python", "cpu_governor"),
    *("model", "precision", "runtime", "runtime_version", "error", "notes", "input_shape", "input_dtype", "verdict"),
    *("reference", "throttling_before", "throttling_after", "accuracy_data", "accuracy_split", "agreement_reference"),
}


@pytest.fixture(scope="module")
def everything() -> Board:
    return full_board()


@pytest.fixture(scope="module")
def whole_page(everything: Board) -> str:
    return page(Results(boards=(everything,)))


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_csv_has_a_line_a_row_and_numbers_are_numbers(everything: Board) -> None:
    lines = lines_of(csv_text(Results(boards=(everything,))))
    assert len(lines) == len(everything.rows)
    for line in lines:
        assert tuple(line) == COLUMNS
        assert set(COLUMNS) >= TEXT_COLUMNS
        for name in set(COLUMNS) - TEXT_COLUMNS:
            assert line[name] == "" or float(line[name]) is not None, name
    first, failed, hot = lines[0], lines[4], lines[5]
    assert (first["model"], first["threads"], first["runs"], first["size_bytes"]) == (
        "pets_float32",
        "1",
        "240",
        "9600000",
    )
    assert (first["miou"], first["macs"], first["stage_decode_p50_ms"]) == ("0.742", "120000000", "3.1")
    assert (lines[1]["stage_decode_p50_ms"], lines[1]["miou"]) == ("", "0.742")
    assert (failed["p50_ms"], failed["error"]) == ("", "/home/alice/models/x.tflite: its process ended")
    assert (hot["throttled_blocks"], hot["temperature_c_after"], hot["throttling_after"]) == (
        "5",
        "84.0",
        "held back: too hot",
    )
    assert float(lines[1]["speedup_low"]) < float(lines[1]["speedup"]) < float(lines[1]["speedup_high"])


def test_stages_stand_in_the_row_they_were_measured_for() -> None:
    rows = tuple(row("int8", 2.0, runtime=runtime) for runtime in ("tflite_runtime", "litert"))
    models = (model("int8", "int8", stages=extras(0.7, "int8")["stages"]),)
    assert [line["stage_decode_p50_ms"] for line in lines_of(csv_text(results(board(rows, models))))] == ["", "3.1"]


def test_the_columns_of_a_small_board_are_the_same() -> None:
    text = csv_text(results())
    assert text.splitlines()[0].split(",") == list(COLUMNS)
    assert len(lines_of(text)) == 3


def test_the_schema_in_the_docs_is_the_current_one() -> None:
    recorded = Path(__file__).parents[1] / "docs" / "results.schema.json"
    assert recorded.read_text(encoding="utf-8") == schema_text(), (
        "type  python -m edge_seg_bench.schema > docs/results.schema.json"
    )
    assert json.loads(schema_text())["properties"]["schema_version"]["const"] == 2


def test_everything_survives_the_file(tmp_path: Path, everything: Board) -> None:
    written = Results(boards=(everything,))
    write_results(tmp_path / "results.json", written)
    assert read_results(tmp_path / "results.json") == written


def test_a_page_needs_nothing_else(whole_page: str) -> None:
    assert "http" not in whole_page
    assert "src=" not in whole_page
    ids = re.findall(r' id="([^"]+)"', whole_page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', whole_page)) <= set(ids)


def test_a_page_shows_all_there_is(whole_page: str) -> None:
    titles = re.findall(r"<h3>(.*?)</h3>", whole_page)
    assert titles == [
        "Accuracy and latency: pets, val",
        f"Accuracy and latency: {RECORDED}",
        *("Latency", "Float against int8", "Threads", "Stages", "Accuracy", "Where the time of one inference goes"),
        *("Work, and the machine's roof", "All rows", "The board meanwhile", "Machine and settings"),
    ]
    assert len(re.findall(r'<svg role="img" aria-label="[^"]+"', whole_page)) == 6
    assert 'warning">45 → 84</td>' in whole_page
    assert "var(--ink)" in whole_page


def test_a_profile_is_held_against_the_median_without_a_profiler() -> None:
    profiled = {name: extras(0.7, "int8")["profile"] for name in ("int8", "bad")}  # 4.1 ms in all
    models = tuple(model(name, "int8", profile=profile) for name, profile in profiled.items())
    text = page(results(board((row("int8", 2.0), row("bad", None)), models)))
    median_ms = measurement(2.0).latency.p50_ms
    assert f"int8, litert, 1 thread: 4.10 ms in all, {4.1 / median_ms - 1:+.1%} against the median without a" in text
    assert "<h4>bad, litert, 1 thread: 4.10 ms in all</h4>" in text


def test_a_page_of_little_shows_little() -> None:
    text = page(results())
    titles = re.findall(r"<h3>(.*?)</h3>", text)
    assert titles == ["Latency", "Float against int8", "All rows", "The board meanwhile", "Machine and settings"]
    nothing = page(results(board((row("bad", None),))))
    assert "Nothing could be measured." in nothing
    assert "<svg" not in nothing


@pytest.mark.parametrize("name", ["<b>", "a|b", r"$\frac$", "x" * 200])
def test_any_name_of_a_model_can_be_drawn(tmp_path: Path, name: str) -> None:
    named = board((row(name, 2.0), row(name, 1.0, threads=2)), (model(name, "int8", recorded_metrics={"miou": 0.7}),))
    assert write_reports(tmp_path, Results(boards=(named,)))[0] == "report.html"
    assert "<b>" not in (tmp_path / "report.html").read_text().replace("<b>\n", "")


def test_several_boards_stand_beside_each_other(tmp_path: Path) -> None:
    boards = (board(), board((row("int8", 5.0), row("float32", None))))
    text = page(results(*boards))
    assert "The boards beside each other" in text
    assert text.count("<section>") == 2
    assert list(common_rows(boards)) == [("int8", "litert", 1)]
    assert write_reports(tmp_path, results(*boards)) == ["report.html", "results.md", "results.csv", "latency.png"]
    assert "measured no row in common" in page(results(boards[0], board((row("int8", 5.0, threads=3),))))


def test_boards_have_names_of_their_own() -> None:
    first = board()
    named = first.model_copy(update={"machine": first.machine.model_copy(update={"host": "kitchen"})})
    later = named.model_copy(update={"created": "2026-01-02T00:00:00+00:00"})
    assert board_names([first]) == ("Raspberry Pi 5 Model B",)
    assert board_names([first, named]) == ("Raspberry Pi 5 Model B", "Raspberry Pi 5 Model B (kitchen)")
    assert board_names([named, later]) == (
        "Raspberry Pi 5 Model B (kitchen), 2026-01-01 00:00:00",
        "Raspberry Pi 5 Model B (kitchen), 2026-01-02 00:00:00",
    )
    assert len(set(board_names([first, first, named]))) == 3
    other = named.model_copy(update={"machine": named.machine.model_copy(update={"board": "Banana Pi"})})
    assert board_names([named, other, named])[1] == "Banana Pi"  # no longer than it takes


def point(latency_ms: float, miou: float) -> Point:
    return Point("m", "int8", "litert, 1 thread", latency_ms, miou, True)


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([], []),
        ([(1, 0.5)], [(1, 0.5)]),
        ([(2, 0.6), (1, 0.5)], [(1, 0.5), (2, 0.6)]),
        ([(1, 0.5), (2, 0.5)], [(1, 0.5)]),
        ([(1, 0.5), (1, 0.7)], [(1, 0.7)]),
        ([(1, 0.7), (2, 0.6), (3, 0.8)], [(1, 0.7), (3, 0.8)]),
    ],
)
def test_no_point_of_the_front_is_beaten(points: list[tuple[float, float]], front: list[tuple[float, float]]) -> None:
    found = pareto_front([point(*each) for each in points])
    assert [(each.latency_ms, each.miou) for each in found] == front


def test_recorded_accuracies_stand_apart_from_measured_ones(everything: Board) -> None:
    groups = accuracy_groups(everything)
    assert list(groups) == ["pets, val", RECORDED]
    assert {each.model.split("_")[0] for each in groups["pets, val"]} == {"pets"}
    assert all(each.is_measured for each in groups["pets, val"])
    assert not any(each.is_measured for each in groups[RECORDED])


@pytest.mark.parametrize(
    ("name", "precision", "family"),
    [("fire_int8", "int8", "fire"), ("int8", "int8", ""), ("a/float32.x", "float32", "a/.x"), ("pets", "int8", "pets")],
)
def test_a_family_is_a_name_without_its_precision(name: str, precision: str, family: str) -> None:
    assert family_of(model(name, precision)) == family


def test_conversions_are_held_against_their_own_float32(everything: Board) -> None:
    groups = precision_groups(everything)
    assert [group.title.split("\n") for group in groups] == [
        [family, "litert, 1 thread"] for family in ("pets", "fire", "tutorial_network")
    ]
    for group in groups:
        assert [bar.precision for bar in group.bars] == ["float32", "float16", "int8"]
        assert group.bars[2].time.ratio == pytest.approx(0.45)
        assert (group.bars[2].time.low or 1) < 0.45 < (group.bars[2].time.high or 0)
    assert precision_groups(board((ROWS[0],), MODELS[:1])) == []


def test_threads_are_held_against_the_fewest(everything: Board) -> None:
    curves = {curve.model: curve.speedups for curve in scaling_curves(everything)}
    assert [round(speedup.ratio, 2) for speedup in curves["pets_int8"].values()] == [1.0, 1.74, 3.03]
    assert list(curves["pets_float16"]) == [1, 4]
    assert scaling_curves(board()) == []


@pytest.mark.parametrize("precision", ["int8", "dynamic", "float32", "float16", "unknown"])
def test_work_is_held_against_the_peak_of_its_arithmetic(precision: str) -> None:
    """2 M MACs and 100,000 bytes in 1 ms; 2 or 4 GMAC/s, 10 GB/s in the caches, 1 GB/s in memory."""
    work = Work(macs=2_000_000, weight_bytes=40_000, activation_bytes=60_000)
    measured = measurement(1.0)
    exact = measured.model_copy(update={"latency": LatencySummary(5, 1, 1, 1.0, 1, 1, 0)})
    peaks = tuple(
        Peak(precision=name, threads=1, macs_per_s=macs_per_s, bytes_per_s=1e9, cache_bytes_per_s=10e9)
        for name, macs_per_s in {"float32": 2e9, "int8": 4e9}.items()
    )
    made = board((row("one", 1.0, measurement=exact),), (model("one", precision, work=work),))
    table = work_table(made.model_copy(update={"peaks": peaks}))
    assert table is not None
    told = [cell.text for cell in table.rows[0]][2:]
    share = {"int8": "50.0%", "dynamic": "50.0%", "float32": "100.0%", "float16": "100.0%"}.get(precision)
    reached = [share, "arithmetic", "0.10"] if share else ["–"] * 3
    assert told == ["2.0", "0.04", "0.06", "2.0", "0.1", *reached]


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([], []),
        ([5], [5]),
        ([1, 9], [1, 9]),
        ([5, 5], [4.5, 5.5]),
        ([5, 4.8], [5.4, 4.4]),
        ([1, 1, 1.5], [1 / 6, 7 / 6, 13 / 6]),
    ],
)
def test_labels_are_spread(wanted: list[float], placed: list[float]) -> None:
    assert spread(wanted, 1) == pytest.approx(placed)


def test_labels_of_a_crowd_do_not_cover_each_other() -> None:
    figure = new_figure(8, 5)
    axes = figure.add_subplot()
    axes.set_xlim(0, 10)
    axes.set_ylim(0, 10)
    points = [(5 + 0.05 * index, 5 + 0.04 * index, f"model_{index}") for index in range(10)]
    label_points(axes, points, [(x, y) for x, y, _ in points])
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(box.count_overlaps(boxes[index + 1 :]) for index, box in enumerate(boxes))


def test_an_svg_keeps_its_ids_to_itself_and_takes_the_colours_of_the_page() -> None:
    figure = new_figure(2, 2)
    figure.add_subplot().plot([0, 1])
    svg = inline_svg(figure, "chart", 'of "this" & that')
    assert svg.startswith('<svg role="img" aria-label="of &quot;this&quot; &amp; that"')
    assert set(re.findall(r'(?:id="|href="#|url\(#)(\w+)-', svg)) == {"chart"}
    assert "http" not in svg


@pytest.mark.parametrize(("name", "short"), [("fire", "fire"), ("a" * 20 + "b" * 20, "a" * 15 + "…" + "b" * 14)])
def test_long_names_lose_their_middle(name: str, short: str) -> None:
    assert shortened(name) == short


@pytest.mark.parametrize(("colour", "text"), [("#0072B2", "#ffffff"), ("#E69F00", "#000000"), ("#ffffff", "#000000")])
def test_text_on_a_colour_can_be_read(colour: str, text: str) -> None:
    assert on_colour(colour) == text
