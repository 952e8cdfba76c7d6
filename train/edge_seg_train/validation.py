"""Validation at full image resolution, through the same resampling as the camera."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import keras
import numpy as np

from edge_seg.dataset import Dataset, Sample
from edge_seg.images import ClassMap, RgbImage
from edge_seg.metrics import Scores, confusion_matrix, scores
from edge_seg.resampling import class_map_from_scores, shrink_image, shrink_mask
from edge_seg.run_folder import RunConfig


@dataclass(frozen=True)
class ValidationResult:
    """Loss at network resolution; scores at image resolution."""

    loss: float
    scores: Scores


class ValidationSet:
    """The validation pictures, shrunk once; masks are read anew at full size each time."""

    def __init__(self, dataset: Dataset, config: RunConfig) -> None:
        self._dataset = dataset
        self._samples = dataset.samples("val")
        self._batch_size = config.batch_size
        self._pool = ThreadPoolExecutor()
        self._images = list(self._pool.map(lambda sample: self._shrunk(sample, config), self._samples))

    def evaluate(self, model: keras.Model) -> ValidationResult:
        """Predict every picture and score it against its mask at image resolution."""
        class_count = len(self._dataset.classes)
        matrix = np.zeros((class_count, class_count), np.int64)
        losses: list[float] = []
        for samples, logits in self._predictions(model):
            jobs = self._pool.map(self._score, samples, logits)
            for counts, loss in jobs:
                matrix += counts
                losses.append(loss)
        return ValidationResult(float(np.mean(losses)), scores(matrix))

    def examples(self, model: keras.Model, count: int) -> list[tuple[RgbImage, ClassMap, ClassMap]]:
        """Return `count` pictures spread evenly over the set, as (photograph, truth, prediction)."""
        chosen = np.linspace(0, len(self._samples) - 1, min(count, len(self._samples))).astype(int)
        logits = model.predict_on_batch(np.stack([self._images[index] for index in chosen]))
        pictures = [self._dataset.read(self._samples[index]) for index in chosen]
        return [
            (image, mask, class_map_from_scores(np.asarray(scores), *mask.shape))
            for (image, mask), scores in zip(pictures, logits, strict=True)
        ]

    def _shrunk(self, sample: Sample, config: RunConfig) -> RgbImage:
        return shrink_image(self._dataset.read(sample)[0], config.height, config.width)

    def _predictions(self, model: keras.Model) -> Iterator[tuple[Sequence[Sample], np.ndarray]]:
        for start in range(0, len(self._samples), self._batch_size):
            chosen = slice(start, start + self._batch_size)
            yield self._samples[chosen], np.asarray(model.predict_on_batch(np.stack(self._images[chosen])))

    def _score(self, sample: Sample, logits: np.ndarray) -> tuple[np.ndarray, float]:
        mask = self._dataset.read_mask(sample)
        prediction = class_map_from_scores(logits, *mask.shape)
        counts = confusion_matrix(mask, prediction, len(self._dataset.classes), self._dataset.ignore_id)
        return counts, _loss_at_network_size(mask, logits, self._dataset.ignore_id)


def _loss_at_network_size(mask: ClassMap, logits: np.ndarray, ignore_id: int) -> float:
    """Mean cross-entropy over the pixels that count, in nats."""
    small = shrink_mask(mask, *logits.shape[:2])
    counted = small != ignore_id
    if not counted.any():
        return 0.0
    chosen = logits[counted].astype(np.float64)
    chosen -= chosen.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(chosen).sum(axis=1))
    return float(np.mean(log_total - chosen[np.arange(len(chosen)), small[counted]]))
