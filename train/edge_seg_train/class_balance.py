"""How often each class occurs, and weights that make up for it."""

from collections.abc import Sequence

import numpy as np

from edge_seg.dataset import Dataset


def balanced_weights(dataset: Dataset) -> Sequence[float]:
    """Weigh each class by the inverse square root of its share of the training pixels; a pixel's mean weight is 1."""
    counts = np.zeros(256, np.int64)
    for sample in dataset.samples("train"):
        counts += np.bincount(dataset.read_mask(sample).ravel(), minlength=256)
    return weights_of_counts(counts[: len(dataset.classes)].tolist())


def weights_of_counts(counts: Sequence[int]) -> Sequence[float]:
    """Turn pixels per class into weights; a class that never occurs weighs nothing."""
    share = np.asarray(counts, np.float64) / max(1, sum(counts))
    raw = np.divide(1.0, np.sqrt(share), out=np.zeros_like(share), where=share > 0)
    return tuple(float(weight) for weight in raw / max(float((raw * share).sum()), 1e-12))
