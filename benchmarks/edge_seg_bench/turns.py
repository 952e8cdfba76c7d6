"""Several workers side by side: each takes its step, and one that fails does not stop the others."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from edge_seg.errors import BenchmarkError
from edge_seg_bench.worker_process import WorkerProcess

OnStep = Callable[[str], None]
"""Called after each step with whose it was."""


class Participant(Protocol):
    """Who has a worker, and a sentence once it failed."""

    worker: WorkerProcess
    error: str | None


P = TypeVar("P", bound=Participant)


def take_turns(
    participants: Iterable[P], step: Callable[[P], None], on_progress: Callable[[P], None] = lambda _participant: None
) -> None:
    """Let each take `step`, one after the other; who failed before is passed over, who fails now gets the sentence."""
    for participant in participants:
        if participant.error is None:
            try:
                step(participant)
            except BenchmarkError as error:
                participant.error = str(error)
                participant.worker.kill()
        on_progress(participant)
