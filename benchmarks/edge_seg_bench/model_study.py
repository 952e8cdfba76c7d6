"""What a board's file says of models beyond their latency: work always, profile and peaks on demand."""

from collections.abc import Callable
from pathlib import Path

from edge_seg.errors import EdgeSegError
from edge_seg_bench.peak import measure_peaks
from edge_seg_bench.profile import measure_profile
from edge_seg_bench.results import Board, Model
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
    """Add each model's multiply-accumulates and bytes, counted in the first runtime; a note where there are none."""
    runtime = board.settings.runtimes[0]
    return _each_model(board, "work", lambda path: count_work(path, runtime=runtime))


def with_profiles(board: Board, on_step: OnStep = lambda _words: None) -> Board:
    """Add this machine's peaks, and a profile of each model in the first runtime at the first number of threads."""
    runtime, threads = board.settings.runtimes[0], board.settings.threads[0]

    def profile(path: Path) -> object:
        on_step(f"profile of {path.name}")
        return measure_profile(path, runtime=runtime, threads=threads)

    return _with_peaks(_each_model(board, "profile", profile), on_step)


def _with_peaks(board: Board, on_step: OnStep) -> Board:
    """Add the peaks; when there are none, the reason becomes a note of each model, because a share is missing there."""
    try:
        peaks = measure_peaks(board.settings.runtimes[0], board.settings.threads, on_step)
    except EdgeSegError as error:
        return board.model_copy(update={"models": tuple(_noted(model, str(error)) for model in board.models)})
    return board.model_copy(update={"peaks": peaks})


def _each_model(board: Board, field: str, study: Callable[[Path], object]) -> Board:
    return board.model_copy(update={"models": tuple(_studied(model, field, study) for model in board.models)})


def _studied(model: Model, field: str, study: Callable[[Path], object]) -> Model:
    try:
        return model.model_copy(update={field: study(Path(model.path))})
    except EdgeSegError as error:
        return _noted(model, str(error))


def _noted(model: Model, note: str) -> Model:
    return model.model_copy(update={"notes": tuple(dict.fromkeys([*model.notes, note]))})
