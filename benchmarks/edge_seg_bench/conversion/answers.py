"""Whether a peer answers as LiteRT does: a broken graph's milliseconds mean nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import BenchmarkError
from edge_seg.model_info import Precision
from edge_seg_bench.conversion.folders import Contender
from edge_seg_bench.conversion.peer_worker import PEERS
from edge_seg_bench.measurement import Candidate
from edge_seg_bench.messages import Classified, Classify, Load, Loaded
from edge_seg_bench.worker_process import WorkerProcess

_ANSWER_TIMEOUT_S = 300.0

ClassIds = NDArray[np.uint8]


@dataclass
class Answers:
    """What is known of the contenders' answers."""

    agreements: dict[Contender, float] = field(default_factory=dict[Contender, float])
    """Of each peer, the share of pixels, 0 to 1, whose class is that of LiteRT on the same conversion."""
    errors: dict[Contender, str] = field(default_factory=dict[Contender, str])
    """Sentences of those that gave no class map."""


def compare_answers(contenders: Sequence[Contender], answer_of: Callable[[Candidate], ClassIds]) -> Answers:
    """Hold each peer's class map against LiteRT's on the stock conversion of the same precision.

    LiteRT's contenders come before the peers'. `answer_of` is `answer`, or a test's.
    """
    answers, in_litert = Answers(), dict[Precision, ClassIds]()
    for contender in contenders:
        if contender.conversion != "stock":
            continue
        try:
            class_ids = answer_of(contender.candidate(threads=1))
        except BenchmarkError as error:
            answers.errors[contender] = str(error)
            continue
        if contender.runtime not in PEERS:
            in_litert[contender.precision] = class_ids
        elif contender.precision in in_litert:
            answers.agreements[contender] = share_of_same(class_ids, in_litert[contender.precision])
    return answers


def answer(candidate: Candidate) -> ClassIds:
    """Return a model's class ids of the generated photograph, [height, width], from a process of its own.

    Raises:
        BenchmarkError: it does not load, or does not run.
    """
    with WorkerProcess(candidate.worker) as worker:
        worker.ask(
            Load(str(candidate.model), candidate.runtime, candidate.threads), Loaded, timeout_s=_ANSWER_TIMEOUT_S
        )
        answered = worker.ask(Classify(), Classified, timeout_s=_ANSWER_TIMEOUT_S)
    return np.asarray(answered.class_ids, np.uint8)


def share_of_same(first: ClassIds, second: ClassIds) -> float:
    """Return the share of pixels of the same class, 0 to 1; 0 for class maps of different sizes."""
    return np.count_nonzero(first == second) / first.size if first.shape == second.shape else 0.0
