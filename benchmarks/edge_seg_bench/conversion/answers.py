"""Whether a peer answers as LiteRT does: a broken graph's milliseconds mean nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge_seg_bench.conversion.folders import Contender
from edge_seg_bench.measurement import Candidate
from edge_seg_bench.peers.answers import ClassIds, hold_against_litert


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
    agreements, errors = hold_against_litert(
        [contender for contender in contenders if contender.conversion == "stock"],
        weights_of=lambda contender: contender.precision,
        runtime_of=lambda contender: contender.runtime,
        answer_of=lambda contender: answer_of(contender.candidate(threads=1)),
    )
    return Answers(agreements, errors)
