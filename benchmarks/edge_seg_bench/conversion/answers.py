"""Whether a peer answers as LiteRT does: a broken graph's milliseconds mean nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge_seg.errors import BenchmarkError
from edge_seg.model_info import Precision
from edge_seg_bench.conversion.folders import Contender
from edge_seg_bench.measurement import Candidate
from edge_seg_bench.peers.answers import ClassIds, share_of_same
from edge_seg_bench.peers.peer_worker import PEERS


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
