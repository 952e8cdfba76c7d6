"""What a board's file says of models beyond their latency: work always, profile and peaks on demand.

Only models that ran in a worker are looked at: one that ends its process would end this one, and its row says why.
"""

from collections.abc import Callable
from pathlib import Path

from edge_seg.errors import EdgeSegError
from edge_seg_bench.model_parts import noted
from edge_seg_bench.peak import measure_peaks, peak_steps
from edge_seg_bench.profile import measure_profile
from edge_seg_bench.results import Board, Model, measured_rows
from edge_seg_bench.turns import OnStep
from edge_seg_bench.work import count_work


def with_work(board: Board) -> Board:
    """Add each measured model's multiply-accumulates and bytes, counted in a runtime that ran it."""
    runtimes = {row.model: row.runtime for row in reversed(measured_rows(board))}
    return _each_measured(board, "work", lambda model: count_work(Path(model.path), runtime=runtimes[model.name]))


def with_profiles(board: Board, on_step: OnStep = lambda _words: None) -> Board:
    """Add this machine's peaks, and a profile of each measured model in the first runtime and number of threads."""
    runtime, threads = board.settings.runtimes[0], board.settings.threads[0]

    def profile(model: Model) -> object:
        on_step(f"profile of {Path(model.path).name}")
        return measure_profile(Path(model.path), runtime=runtime, threads=threads)

    return _with_peaks(_each_measured(board, "profile", profile), on_step)


def profile_steps(board: Board) -> int:
    """Return the number of progress steps of with_profiles."""
    return len({row.model for row in measured_rows(board)}) + peak_steps(board.settings.threads)


def _with_peaks(board: Board, on_step: OnStep) -> Board:
    """Add the peaks; when there are none, the reason becomes a note of each model, because a share is missing there."""
    try:
        peaks = measure_peaks(board.settings.runtimes[0], board.settings.threads, on_step)
    except EdgeSegError as error:
        return board.model_copy(update={"models": tuple(noted(model, str(error)) for model in board.models)})
    return board.model_copy(update={"peaks": peaks})


def _each_measured(board: Board, field: str, study: Callable[[Model], object]) -> Board:
    measured = {row.model for row in measured_rows(board)}
    models = (_studied(model, field, study) if model.name in measured else model for model in board.models)
    return board.model_copy(update={"models": tuple(models)})


def _studied(model: Model, field: str, study: Callable[[Model], object]) -> Model:
    try:
        return model.model_copy(update={field: study(model)})
    except EdgeSegError as error:
        return noted(model, str(error))
