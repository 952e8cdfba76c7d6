"""The tables of `edge-seg bench` in terminals of several widths, and the sentences below them."""

import io
from itertools import product

import pytest
from rich.console import Console

from bench_fixtures import CALM, HOT, MODELS, SETTINGS, board, measurement, model, row
from edge_seg_bench.assembly import compare_threads
from edge_seg_bench.columns import Column
from edge_seg_bench.rendering import all_columns, conditions_sentence, cost_columns, notes
from edge_seg_bench.results import Board, Row
from edge_seg_bench.terminal import packed, print_board, row_names, table_width

NAMES = [Column("model", ("aaaa", "bb"))]
WIDE = Column("wide", ("0123456789", "1"))
THIN = Column("a", ("1", "2"))


def measured_board() -> Board:
    """Two models in two runtimes at three numbers of threads: twice the threads, half the time."""
    models = (model("pets_float32", "float32", recorded_metrics={"miou": 0.71}), model("pets_int8", "int8"))
    rows = tuple(
        row(one.name, slowness * 8.0 / threads, runtime=runtime, threads=threads)
        for (one, slowness), runtime, threads in product(
            zip(models, (1.0, 0.4), strict=True), ("litert", "tflite_runtime"), (1, 2, 4)
        )
    )
    made = board((*rows[:-1], throttled(rows[-1])), models)
    settings = SETTINGS.model_copy(update={"runtimes": ("litert", "tflite_runtime"), "threads": (1, 2, 4)})
    return made.model_copy(update={"scalings": compare_threads(made), "settings": settings})


def throttled(row: Row) -> Row:
    assert row.measurement is not None
    return row.model_copy(
        update={"measurement": row.measurement.model_copy(update={"after": HOT, "throttled_blocks": 3})}
    )


def printed(board: Board, width: int) -> list[str]:
    output = io.StringIO()
    print_board(Console(file=output, width=width), board)
    return output.getvalue().splitlines()


@pytest.mark.parametrize(
    ("groups", "width", "titles"),
    [
        ([[WIDE], [THIN]], 80, ["model wide a"]),
        ([[WIDE], [THIN]], 19, ["model wide", "model a"]),
        ([[WIDE], [THIN]], 20, ["model wide a"]),
        ([[THIN, WIDE], [THIN]], 19, ["model a", "model wide", "model a"]),
        ([[WIDE]], 5, ["model wide"]),
    ],
)
def test_groups_stay_together_where_they_fit(groups: list[list[Column]], width: int, titles: list[str]) -> None:
    tables = packed(NAMES, groups, width)
    assert [" ".join(column.title for column in columns) for columns in tables] == titles


def test_the_width_of_a_table_is_what_rich_makes_of_it() -> None:
    assert table_width([*NAMES, WIDE, THIN]) == 5 + 2 + 10 + 2 + 1


@pytest.mark.parametrize(("width", "tables"), [(80, 5), (120, 3), (200, 2)])
def test_tables_fit_the_terminal(width: int, tables: int) -> None:
    lines = printed(measured_board(), width)
    end = next(index for index, line in enumerate(lines) if line.startswith("Raspberry Pi 5"))
    assert max(len(line) for line in lines[:end]) <= width
    assert sum(line.startswith("model ") for line in lines[:end]) == tables
    assert sum(line.startswith("pets_int8 ") for line in lines[:end]) == 6 * (tables - 1) + 1


def test_what_is_the_same_in_all_rows_is_no_column() -> None:
    assert [column.title for column in row_names(measured_board())] == ["model", "runtime", "threads"]
    assert [column.title for column in row_names(board())] == ["model"]


def test_rows_are_compared_with_their_own_fewest_threads() -> None:
    scalings = measured_board().scalings
    assert len(scalings) == 8
    assert {scaling.reference.threads for scaling in scalings} == {1}
    assert all(scaling.reference[:2] == scaling.row[:2] for scaling in scalings)
    assert [round(scaling.speedup.ratio, 6) for scaling in scalings] == [2, 4] * 4


def test_threads_that_bring_nothing_are_no_difference() -> None:
    made = board((row("int8", 2.0), row("int8", 2.0, threads=2)))
    (column,) = (
        column
        for column in all_columns(made.model_copy(update={"scalings": compare_threads(made)}))
        if column.title == "by threads"
    )
    assert column.texts[0] == "reference"
    assert column.texts[1].startswith("no difference [")


def test_a_throttled_row_is_marked_in_table_and_words() -> None:
    text = "\n".join(printed(measured_board(), 200))
    assert "0.80*" in text
    assert text.count("*") == 2
    assert "pets_int8 (tflite_runtime, 4 threads): * the board was throttled in 3 of 12 blocks" in text


def test_temperature_and_clock_are_told_as_a_range() -> None:
    assert conditions_sentence(board()) == "temperature 45 °C between the blocks; clock 2400 MHz between the blocks"
    hot = board((throttled(row("int8", 2.0)),))
    assert conditions_sentence(hot) == (
        "temperature 45 to 84 °C between the blocks; clock 1500 to 2400 MHz between the blocks"
    )


def test_energy_is_a_column_and_its_meter_a_sentence() -> None:
    assert "mJ" not in [column.title for column in cost_columns(board())]
    metered = measurement(2.0).model_copy(update={"energy_mj": 12.345, "before": CALM})
    made = board((row("int8", 2.0, measurement=metered), row("bad", None))).model_copy(update={"energy_meter": "RAPL"})
    assert cost_columns(made)[-1] == Column("mJ", ("12.3", "–"))
    assert "mJ: energy of one inference by RAPL" in (conditions_sentence(made) or "")


def test_one_note_of_several_rows_is_said_once() -> None:
    rows = tuple(row("int8", 2.0, threads=threads, notes=("it is odd",)) for threads in (1, 2))
    assert notes(board(rows, MODELS[:1])) == ["every row: it is odd"]
    assert notes(board((*rows, row("float32", 1.0)), MODELS[:2])) == [
        "int8 (litert, 1 thread), int8 (litert, 2 threads): it is odd"
    ]


def test_more_threads_than_cores_are_noted() -> None:
    many = board().model_copy(update={"settings": SETTINGS.model_copy(update={"threads": (4, 8, 16)})})
    assert notes(many)[0] == "8 and 16 threads are more than the machine's cores, of which this process may use 4"
