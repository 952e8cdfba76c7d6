"""Segmentation metrics from a confusion matrix, at whatever resolution the class maps have."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap

ConfusionMatrix = NDArray[np.int64]
"""[classes, classes] int64: rows are the truth, columns the prediction, cells count pixels."""


def confusion_matrix(truth: ClassMap, prediction: ClassMap, class_count: int, ignore_id: int) -> ConfusionMatrix:
    """Count pixels by (true class, predicted class), leaving out pixels whose truth is `ignore_id`.

    Args:
        truth: [h, w] uint8 class ids; every value but `ignore_id` below `class_count`.
        prediction: [h, w] uint8 class ids below `class_count`.
    """
    counted = truth != ignore_id
    cells = truth[counted].astype(np.int64) * class_count + prediction[counted]
    return np.bincount(cells, minlength=class_count**2).reshape(class_count, class_count)


@dataclass(frozen=True)
class Scores:
    """What a confusion matrix says. IoU is NaN for a class in neither truth nor prediction."""

    iou: tuple[float, ...]
    pixel_accuracy: float

    @property
    def miou(self) -> float:
        """Mean IoU over the classes that occur (PASCAL VOC's definition)."""
        present = [value for value in self.iou if not np.isnan(value)]
        return float(np.mean(present)) if present else float("nan")


def scores(matrix: ConfusionMatrix) -> Scores:
    """Reduce a confusion matrix to IoU per class and pixel accuracy."""
    hits = np.diag(matrix).astype(np.float64)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
    with np.errstate(divide="ignore", invalid="ignore"):
        iou = hits / union
        accuracy = hits.sum() / matrix.sum()
    return Scores(tuple(float(value) for value in iou), float(accuracy))
