"""Ways to sum up how unsure a model was of a picture, the higher the less sure."""

from collections.abc import Callable

import numpy as np

from edge_seg.scores import ScoreMap
from edge_seg.uncertainty import uncertainty

Measure = Callable[[ScoreMap], float]

CHOSEN = "margin, by class"

_UNSURE_MARGIN = 0.5


def mean_margin(scores: ScoreMap) -> float:
    """One minus the margin, the mean over all pixels."""
    return float(1 - scores.margin.mean())


def mean_entropy(scores: ScoreMap) -> float:
    """Entropy of the classes' probabilities in nats (Shannon 1948), the mean over all pixels."""
    probabilities = scores.probabilities
    return float(-(probabilities * np.log(np.maximum(probabilities, 1e-9))).sum(axis=2).mean())


def unsure_share(scores: ScoreMap) -> float:
    """Share of the pixels whose margin is below 0.5."""
    return float((scores.margin < _UNSURE_MARGIN).mean())


MEASURES: dict[str, Measure] = {
    CHOSEN: uncertainty,
    "margin, all pixels": mean_margin,
    "entropy, all pixels": mean_entropy,
    "share of margins < 0.5": unsure_share,
}
