"""What a model answered at network resolution, as probabilities: how sure it was of every pixel.

Scores of two models compare only as probabilities. Quantised ones are brought back to real numbers
first, real = (stored − zero point) × scale, as raw bytes of two models differ in what a step is worth.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap
from edge_seg.runtimes import TensorSpec

Reals = NDArray[np.float32]

_SUM_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """A model's scores as it stored them; everything else is computed when it is asked for.

    Attributes:
        values: [h, w, classes] scores, or [h, w, 1] probabilities of class 1; int8, uint8 or float32.
        scale: what one step of a quantised value is worth; 0.0 for one that is not quantised.
        zero_point: the stored value of 0.
    """

    values: NDArray[Any]
    scale: float = 0.0
    zero_point: int = 0

    @classmethod
    def of(cls, values: NDArray[Any], spec: TensorSpec) -> "ScoreMap":
        """Wrap `values` [h, w, channels], which came from the output that `spec` describes; copies nothing."""
        return cls(values, spec.scale, spec.zero_point)

    @property
    def reals(self) -> Reals:
        """[h, w, channels] float32, the real numbers that the stored ones stand for."""
        values = self.values.astype(np.float32)
        return values if self.scale == 0 else (values - self.zero_point) * np.float32(self.scale)

    @cached_property
    def probabilities(self) -> Reals:
        """[h, w, classes] float32, which add up to 1.

        The softmax of the scores, except where they are probabilities already: a second softmax
        would flatten them.
        """
        reals = self.reals
        if reals.shape[2] == 1:
            return np.concatenate([1 - reals, reals], axis=2)
        return reals if _is_distribution(reals, self.scale) else _softmax(reals)

    @cached_property
    def class_map(self) -> ClassMap:
        """[h, w] uint8, the likeliest class at network resolution; the lower id wins a tie."""
        best, *others = np.moveaxis(self.probabilities, 2, 0)
        likeliest = np.zeros(best.shape, np.uint8)
        for class_id, plane in enumerate(others, 1):
            likeliest[plane > best] = class_id
            best = np.maximum(best, plane)
        return likeliest

    @cached_property
    def margin(self) -> Reals:
        """[h, w] float32, 0 to 1: how far the likeliest class is ahead of the next.

        Margin sampling (Scheffer, Decomain & Wrobel 2001). Of a single probability it is |p − 0.5| × 2.
        """
        best, *others = np.moveaxis(self.probabilities, 2, 0)
        second = np.zeros_like(best)
        for plane in others:
            second = np.maximum(second, np.minimum(best, plane))
            best = np.maximum(best, plane)
        return best - second


def _is_distribution(reals: Reals, step: float) -> bool:
    tolerance = _SUM_TOLERANCE + step * reals.shape[2] / 2  # every class may be rounded by half a step
    return bool(reals.min() >= -_SUM_TOLERANCE and np.abs(reals.sum(axis=2) - 1).max() <= tolerance)


def _softmax(scores: Reals) -> Reals:
    planes = np.ascontiguousarray(np.moveaxis(scores, 2, 0))  # a plane a class: 20 times as fast for 3 classes
    powers = np.exp(planes - planes.max(axis=0))
    return np.moveaxis(powers / powers.sum(axis=0), 0, 2)
