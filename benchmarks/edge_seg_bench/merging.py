"""The boards of several results files in one."""

from collections.abc import Sequence
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.results import Board, Results, read_results


def merge_files(files: Sequence[Path]) -> Results:
    """Return the boards of `files`, in their order.

    Raises:
        BenchmarkError: a file is no results.json, or two hold the same measurement.
    """
    found: dict[object, Path] = {}
    boards: list[Board] = []
    for file in files:
        for board in read_results(file).boards:
            measurement = _measurement_of(board)
            if measurement in found:
                raise BenchmarkError(
                    f"{file}: the measurement of {board.machine.board or board.machine.cpu_model} at {board.created} "
                    f"is in {found[measurement]} already; give each measurement once"
                )
            found[measurement] = file
            boards.append(board)
    return Results(boards=tuple(boards))


def _measurement_of(board: Board) -> object:
    """Return what makes a measurement itself: `bench share` changes names, and neither the time nor the samples."""
    samples = tuple(row.measurement.blocks_ms if row.measurement else () for row in board.rows)
    return board.created, board.machine.cpu_model, samples
