"""Which files a report consists of."""

from collections.abc import Sequence
from pathlib import Path

from edge_seg.files import write_bytes, write_text
from edge_seg_bench.rendering import markdown
from edge_seg_bench.report.board_bars import draw_boards
from edge_seg_bench.report.csv_table import csv_text
from edge_seg_bench.report.latency_strip import draw_latency
from edge_seg_bench.report.page import page
from edge_seg_bench.report.svg import png
from edge_seg_bench.results import Results, measured_rows, write_results


def write_reports(folder: Path, results: Results) -> list[str]:
    """Write report.html, results.md, results.csv and, when something was measured, latency.png; return their names."""
    texts = {"report.html": page(results), "results.md": markdown(results), "results.csv": csv_text(results)}
    for name, text in texts.items():
        write_text(folder / name, text)
    picture = _picture(results)
    if picture is None:
        return list(texts)
    write_bytes(folder / "latency.png", picture)
    return [*texts, "latency.png"]


def write_with_reports(folder: Path, results: Results) -> list[str]:
    """Write results.json and its reports; return the names of the files."""
    write_results(folder / "results.json", results)
    return ["results.json", *write_reports(folder, results)]


def written_words(folder: Path, names: Sequence[str]) -> str:
    """Return what was written where."""
    return f"Written to {folder}: {', '.join(names)}"


def _picture(results: Results) -> bytes | None:
    """Draw the samples of one board, or the medians of several beside each other."""
    if len(results.boards) > 1:
        figure = draw_boards(results.boards)
        return png(figure) if figure else None
    board = next(iter(results.boards), None)
    return png(draw_latency(board)) if board and measured_rows(board) else None
