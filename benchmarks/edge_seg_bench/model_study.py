"""What a board's file says of models beyond their latency: work always, profile and peaks on demand.

Only models that ran in a worker are looked at: one that ends its process would end this one, and its row says why.
"""

from collections.abc import Callable
from pathlib import Path

from edge_seg.errors import EdgeSegError
from edge_seg_bench.peak import measure_peaks
from edge_seg_bench.profile import measure_profile
from edge_seg_bench.results import Board, Model, measured_rows
from edge_seg_bench.work import count_work

OnStep = Callable[[str], None]

HOW_OBTAINED = {
    "multiply-accumulates": "counted from the shapes of convolutions and matrix products; additions do not count",
    "bytes": "constants as the file stores them, and each tensor once per operation that reads or writes it",
    "peak": "the best block of eight 1 × 1 convolutions of 256 channels, in the same runtime and with as many threads",
    "share of peak": "the least time that the peak, or copying in the caches, allows, over the median latency",
    "profile": "LiteRT's own profiler, XNNPACK's operators included; the mean of the middle half of 30 runs",
}
"""One line for each figure, for reports."""


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


def _with_peaks(board: Board, on_step: OnStep) -> Board:
    """Add the peaks; when there are none, the reason becomes a note of each model, because a share is missing there."""
    try:
        peaks = measure_peaks(board.settings.runtimes[0], board.settings.threads, on_step)
    except EdgeSegError as error:
        return board.model_copy(update={"models": tuple(_noted(model, str(error)) for model in board.models)})
    return board.model_copy(update={"peaks": peaks})


def _each_measured(board: Board, field: str, study: Callable[[Model], object]) -> Board:
    measured = {row.model for row in measured_rows(board)}
    models = (_studied(model, field, study) if model.name in measured else model for model in board.models)
    return board.model_copy(update={"models": tuple(models)})


def _studied(model: Model, field: str, study: Callable[[Model], object]) -> Model:
    try:
        return model.model_copy(update={field: study(model)})
    except EdgeSegError as error:
        return _noted(model, str(error))


def _noted(model: Model, note: str) -> Model:
    return model.model_copy(update={"notes": tuple(dict.fromkeys([*model.notes, note]))})
