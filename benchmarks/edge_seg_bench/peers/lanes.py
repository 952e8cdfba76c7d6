"""A contestant in a runtime: how it is started, whether it answers rightly, and its row when it is not measured."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge_seg_bench.measurement import Candidate
from edge_seg_bench.peers.answers import ClassIds, hold_against_litert
from edge_seg_bench.peers.contestants import TFLITE_RUNTIME, Contestant
from edge_seg_bench.peers.peer_worker import PEER_WORKER, PEERS
from edge_seg_bench.worker_process import TFLITE_WORKER, THIS_PYTHON, Interpreter


@dataclass(frozen=True)
class Lane:
    """A contestant in one of its runtimes."""

    contestant: Contestant
    runtime: str

    def candidate(self, threads: int, tflite_python: Interpreter) -> Candidate:
        """How it is measured; `tflite_python` is the one that has tflite_runtime."""
        worker = PEER_WORKER if self.runtime in PEERS else TFLITE_WORKER
        interpreter = tflite_python if self.runtime == TFLITE_RUNTIME else THIS_PYTHON
        return Candidate(self.contestant.path, self.runtime, threads, worker, interpreter)


@dataclass
class Checked:
    """What is known of lanes before they are timed."""

    shares: dict[Lane, float] = field(default_factory=dict[Lane, float])
    """Of each lane but LiteRT's, the share of pixels, 0 to 1, of the class that LiteRT gives with the same weights."""
    refusals: dict[Lane, str] = field(default_factory=dict[Lane, str])
    """Sentences of those that are not timed."""


def lanes_of(contestants: Iterable[Contestant]) -> Sequence[Lane]:
    """Return every contestant in each of its runtimes."""
    return [Lane(contestant, runtime) for contestant in contestants for runtime in contestant.runtimes]


def refused_beforehand(lanes: Iterable[Lane], missing_runtimes: Mapping[str, str]) -> dict[Lane, str]:
    """Return the sentences of lanes whose model is refused or whose runtime is missing."""
    reasons = {lane: lane.contestant.refusal or missing_runtimes.get(lane.runtime) for lane in lanes}
    return {lane: reason for lane, reason in reasons.items() if reason is not None}


def check_answers(
    lanes: Iterable[Lane], refusals: Mapping[Lane, str], answer_of: Callable[[Lane], ClassIds]
) -> Checked:
    """Hold the class maps of the lanes that have the same weights against LiteRT's, whose lane comes first.

    `answer_of` raises BenchmarkError for a lane that gives none; such a lane is not timed.
    """
    shares, unanswered = hold_against_litert(
        [lane for lane in lanes if lane.contestant.weights is not None and lane not in refusals],
        weights_of=lambda lane: lane.contestant.weights,
        runtime_of=lambda lane: lane.runtime,
        answer_of=answer_of,
    )
    return Checked(shares, {**refusals, **unanswered})
