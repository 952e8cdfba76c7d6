"""What `edge-seg bench measure` measures of models after their latency: stage times and accuracy."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from edge_seg.errors import BenchmarkError, ImageError
from edge_seg_bench.accuracy import PictureList, accuracy_steps, measure_accuracy
from edge_seg_bench.cli.steps import shown_steps
from edge_seg_bench.model_parts import with_part
from edge_seg_bench.pictures import ROAD_PICTURES, spread, write_photographs
from edge_seg_bench.results import Board, measured_rows
from edge_seg_bench.stages import measure_stages, stage_steps


def add_stages(board: Board, pictures: PictureList | None) -> Board:
    """Measure the stages of the models that have a row, in the first one's runtime and threads.

    `pictures` are of a data set; None takes generated photographs.
    """
    if not measured_rows(board):
        return board
    with TemporaryDirectory(prefix="edge-seg-bench-") as folder:
        return _add_stages(
            board, spread(pictures.paths, ROAD_PICTURES) if pictures else write_photographs(Path(folder))
        )


def add_accuracy(board: Board, pictures: PictureList) -> Board:
    """Score the models that have a row, in the first one's runtime and threads."""
    if not measured_rows(board):
        return board
    models, first = _measured_models(board), measured_rows(board)[0]
    with shown_steps(accuracy_steps(models, pictures)) as on_step:
        found = measure_accuracy(models, pictures, first.runtime, first.threads, on_step)
    return with_part(board, "accuracy", found)


def check_scored(board: Board) -> None:
    """Raise BenchmarkError when no model could be scored, as when all are of other classes than the data set."""
    if board.models and not any(model.accuracy for model in board.models):
        model = board.models[0]
        raise BenchmarkError(f"no model was scored; {model.name}: {model.notes[-1]}")


def _add_stages(board: Board, pictures: Sequence[Path]) -> Board:
    models, first = _measured_models(board), measured_rows(board)[0]
    with shown_steps(stage_steps(models, board.settings)) as on_step:
        try:
            found = measure_stages(models, first.runtime, first.threads, pictures, board.settings, on_step)
        except ImageError as error:  # a broken picture must not cost what was measured
            found = dict.fromkeys(models, str(error))
    return with_part(board, "stages", found)


def _measured_models(board: Board) -> list[Path]:
    """Return the files of models that have a row; why the others have none, their rows say."""
    return list(dict.fromkeys(Path(board.model_of(row).path) for row in measured_rows(board)))
