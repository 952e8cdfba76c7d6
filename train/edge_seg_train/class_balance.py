"""How often each class occurs, and weights that make up for it."""

from collections.abc import Sequence

import numpy as np

from edge_seg.dataset import Dataset
from edge_seg.errors import TrainingError


def check_has_classes(dataset: Dataset) -> None:
    """Find that there is something to tell apart, and something to score; reads no more masks than that needs.

    Raises:
        TrainingError: training masks of one class, or validation masks that are ignored altogether.
        DatasetError, ImageError: a mask that breaks the contract.
    """
    if len(dataset.classes) < 2:
        raise TrainingError(f"{dataset.folder}: has one class; segmentation needs two, background among them")
    if not _hold(dataset, "train", 2):
        raise TrainingError(
            f"{dataset.folder}: all training masks together hold fewer than two classes, so there is nothing to tell "
            "apart; look at them with  edge-seg data preview"
        )
    if not _hold(dataset, "val", 1):
        raise TrainingError(
            f"{dataset.folder}: every pixel of the validation masks is ignored, so nothing can be scored; "
            "divide the pictures anew with  edge-seg data split"
        )


def _hold(dataset: Dataset, split: str, class_count: int) -> bool:
    seen: set[int] = set()
    for sample in dataset.samples(split):
        seen |= set(np.unique(dataset.read_mask(sample)).tolist()) - {dataset.ignore_id}
        if len(seen) >= class_count:
            return True
    return False


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
