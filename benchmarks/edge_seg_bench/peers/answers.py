"""What a model answers in a runtime: milliseconds of a graph that computes something else mean nothing."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_seg_bench.measurement import Candidate
from edge_seg_bench.messages import Classified, Classify, Load, Loaded

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
