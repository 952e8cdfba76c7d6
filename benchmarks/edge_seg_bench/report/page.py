"""report.html: all figures and tables of one board or several, in one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_seg.pages import render
from edge_seg_bench.board_names import board_names
from edge_seg_bench.profile import deviation
from edge_seg_bench.rendering import board_sentences, row_words
from edge_seg_bench.report import tables
from edge_seg_bench.report.accuracy_latency import RECORDED, accuracy_groups, draw_accuracy
from edge_seg_bench.report.board_bars import draw_boards
from edge_seg_bench.report.latency_strip import draw_latency
from edge_seg_bench.report.precision_bars import draw_precisions, precision_groups
from edge_seg_bench.report.stage_bars import draw_stages
from edge_seg_bench.report.svg import inline_svg
from edge_seg_bench.report.tables import Table
from edge_seg_bench.report.thread_scaling import draw_scaling, scaling_curves
from edge_seg_bench.results import Board, Profile, Results, RowKey, measured_rows
from edge_seg_bench.wording import ms, thread_words

_ACCURACY_CAPTION = "Right is slower, up is better; mIoU measured with the latency, at full image resolution."
_RECORDED_CAPTION = (
    "Right is slower, up is better; mIoU not measured here but read from the models' files, which do not say on which "
    "pictures: compare models of one data set."
)
_PRECISION_CAPTION = (
    "Median of each conversion over that of its float32 form, with the bootstrap 95% interval of the ratio; at the "
    "fewest threads that were measured."
)
_SCALING_CAPTION = "Ratio of the medians with its bootstrap 95% interval; dashed: n threads, n times as fast."
_STAGES_CAPTION = (
    "From a picture file to an overlay file: medians of the stages end to end, and in bold that of the whole; the "
    "narrow bar is invoke() alone in the same process."
)
_BOARDS_CAPTION = "Medians of what more than one board measured, with their bootstrap 95% intervals."


@dataclass(frozen=True)
class Chart:
    """A figure: an <svg> element with what is written over and under it."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True)
class BoardView:
    """What a page shows of a board."""

    name: str
    summary: str
    charts: tuple[Chart, ...]
    accuracies: Table | None
    operations: tuple[tuple[str, Table], ...]
    work: Table | None
    peaks: Table | None
    conditions: Table
    rows: Table
    sentences: tuple[str, ...]
    machine: tuple[tuple[str, str], ...]


def page(results: Results) -> str:
    """Return the page, which needs no other file and no network.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    names = board_names(results.boards)
    return render(
        "bench_report.html",
        package="edge_seg_bench",
        names=names,
        comparison=_boards_chart(results.boards),
        boards=[_view(*named, f"b{number}") for number, named in enumerate(zip(results.boards, names, strict=True))],
    )


def _boards_chart(boards: Sequence[Board]) -> Chart | None:
    figure = draw_boards(boards)
    if figure is None:
        return None
    return _chart("The boards beside each other", figure, "boards", _BOARDS_CAPTION)


def _view(board: Board, name: str, prefix: str) -> BoardView:
    return BoardView(
        name=name,
        summary=_summary(board),
        charts=tuple(_charts(board, prefix)),
        accuracies=tables.accuracy_table(board.models),
        operations=tuple(_operations(board, model.name, model.profile) for model in board.models if model.profile),
        work=tables.work_table(board),
        peaks=tables.peaks_table(board),
        conditions=tables.conditions_table(board),
        rows=tables.rows_table(board),
        sentences=tuple(board_sentences(board)),
        machine=tuple(tables.machine_rows(board)),
    )


def _operations(board: Board, model: str, profile: Profile) -> tuple[str, Table]:
    where = f"{profile.runtime}, {thread_words(profile.threads)}"
    title = f"{model}, {where}: {ms(profile.total_ms)} ms in all{_beside_latency(board, model, profile)}"
    return title, tables.operations_table(profile)


def _beside_latency(board: Board, model: str, profile: Profile) -> str:
    """Say how far the profile's sum is from the median of the same row, measured without a profiler."""
    key = RowKey(model, profile.runtime, profile.threads)
    measured = next((row.measurement for row in board.rows if row.key == key), None)
    if measured is None:
        return ""
    return f", {deviation(profile, measured.latency.p50_ms):+.1%} against the median without a profiler"


def _charts(board: Board, prefix: str) -> list[Chart]:
    """Draw what the results hold figures for."""
    charts: list[Chart] = []
    for number, (data, points) in enumerate(accuracy_groups(board).items()):
        figure, name = draw_accuracy(points), f"{prefix}-accuracy{number}"
        caption = _RECORDED_CAPTION if data == RECORDED else _ACCURACY_CAPTION
        charts.append(_chart(f"Accuracy and latency: {data}", figure, name, caption))
    if measured_rows(board):
        caption = "Every measured run; a run beyond the longest p99 is outside the picture."
        charts.append(_chart("Latency", draw_latency(board), f"{prefix}-latency", caption))
    if groups := precision_groups(board):
        charts.append(_chart("Float against int8", draw_precisions(groups), f"{prefix}-precision", _PRECISION_CAPTION))
    if curves := scaling_curves(board):
        charts.append(_chart("Threads", draw_scaling(curves), f"{prefix}-threads", _SCALING_CAPTION))
    if any(model.stages for model in board.models):
        charts.append(_chart("Stages", draw_stages(board.models), f"{prefix}-stages", _STAGES_CAPTION))
    return charts


def _chart(title: str, figure: Any, name: str, caption: str) -> Chart:
    return Chart(title, inline_svg(figure, name, f"{title}. {caption}"), caption)


def _summary(board: Board) -> str:
    rows = [(row, row.measurement.latency.p50_ms) for row in board.rows if row.measurement]
    if not rows:
        return "Nothing could be measured."
    row, median_ms = min(rows, key=lambda pair: pair[1])
    return f"{len(rows)} of {len(board.rows)} rows measured; the fastest is {row_words(row)} with {ms(median_ms)} ms."
