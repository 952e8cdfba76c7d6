"""What a model answers in a runtime: milliseconds of a graph that computes something else mean nothing."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import BenchmarkError
from edge_seg_bench.measurement import Candidate
from edge_seg_bench.messages import Classified, Classify, Load, Loaded
from edge_seg_bench.peers.contestants import LITERT

K = TypeVar("K", bound=Hashable)

BROKEN_BELOW = 0.97
"""Doubt begins below this share of the same pixels. On twenty photographs OpenVINO's rounding left 0.989 of them and
more; on a single picture an intact graph has left 0.954, so a smaller share is a reason to look, and no proof."""

ClassIds = NDArray[np.uint8]


def answer(candidate: Candidate, pictures: Sequence[Path | None] = (None,)) -> ClassIds:
    """Return a model's class ids of pictures, [pictures, height, width], from a process of its own.

    Args:
        candidate: the model in its runtime.
        pictures: files, or None for the generated photograph.

    Raises:
        BenchmarkError: it does not load, or does not run.
    """
    with candidate.start_worker() as worker:
        worker.ask(Load(str(candidate.model), candidate.runtime, candidate.threads), Loaded)
        requests = [Classify(None if picture is None else str(picture)) for picture in pictures]
        answered = [worker.ask(request, Classified) for request in requests]
    return np.asarray([each.class_ids for each in answered], np.uint8)


def share_of_same(first: ClassIds, second: ClassIds) -> float:
    """Return the share of pixels of the same class, 0 to 1; 0 for class maps of different sizes."""
    return np.count_nonzero(first == second) / first.size if first.shape == second.shape else 0.0


def hold_against_litert(
    asked: Iterable[K],
    *,
    weights_of: Callable[[K], Hashable],
    runtime_of: Callable[[K], str],
    answer_of: Callable[[K], ClassIds],
) -> tuple[dict[K, float], dict[K, str]]:
    """Hold every answer against LiteRT's with the same weights; LiteRT's come before the others.

    Returns:
        Of all but LiteRT's own, the share of pixels with its class, 0 to 1; and the sentences of those whose
        `answer_of` raised BenchmarkError.
    """
    shares, refusals, in_litert = dict[K, float](), dict[K, str](), dict[Hashable, ClassIds]()
    for item in asked:
        try:
            class_ids = answer_of(item)
        except BenchmarkError as error:
            refusals[item] = str(error)
            continue
        weights = weights_of(item)
        if runtime_of(item) == LITERT:
            in_litert[weights] = class_ids
        elif weights in in_litert:
            shares[item] = share_of_same(class_ids, in_litert[weights])
    return shares, refusals
