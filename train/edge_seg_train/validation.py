"""Validation at full image resolution, through the same resampling as the camera."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from edge_seg.dataset import Dataset, Sample
from edge_seg.images import ClassMap, RgbImage
from edge_seg.metrics import ConfusionMatrix, Scores, confusion_matrix, scores
from edge_seg.resampling import class_map_from_scores
from edge_seg.run_config import RunConfig
from edge_seg_train.sample_store import open_store

Example = tuple[RgbImage, ClassMap, ClassMap]
"""Photograph [h, w, 3], truth [h, w] and prediction [h, w], at image resolution."""


@dataclass(frozen=True)
class ScoredPicture:
    """What one validation picture gave."""

    sample: Sample
    confusion: ConfusionMatrix
    loss: float

    @property
    def miou(self) -> float:
        """Mean IoU over the classes in this picture."""
        return scores(self.confusion).miou


@dataclass(frozen=True)
class ValidationResult:
    """Losses at network resolution, confusion at image resolution; in the order of the split."""

    pictures: tuple[ScoredPicture, ...]

    @property
    def confusion(self) -> ConfusionMatrix:
        """Pixels of all pictures by true and predicted class."""
        return np.sum([picture.confusion for picture in self.pictures], axis=0)

    @property
    def loss(self) -> float:
        """Mean cross-entropy of the pictures, in nats per pixel."""
        return float(np.mean([picture.loss for picture in self.pictures]))

    @property
    def scores(self) -> Scores:
        """IoU per class over all pixels."""
        return scores(self.confusion)


class ValidationSet:
    """The validation pictures at network size; masks are read anew at full size each time."""

    def __init__(self, dataset: Dataset, config: RunConfig, folder: Path) -> None:
        """Open the split "val"; what is cached on disk lies in `folder`."""
        self._dataset, self._batch_size = dataset, config.batch_size
        self._samples = dataset.samples("val")
        self._store = open_store(dataset, self._samples, config.height, config.width, config.cache, folder)
        self._pool = ThreadPoolExecutor()

    def read_all(self) -> None:
        """Read every picture with its mask, so that what is wrong with one shows before an epoch is spent.

        Raises:
            DatasetError, ImageError: what is no picture, no mask, or does not fit the other.
        """
        for _ in self._pool.map(self._store.read, range(len(self._samples))):
            pass

    def evaluate(self, model: keras.Model) -> ValidationResult:
        """Predict every picture and score it against its mask at image resolution."""
        pictures: list[ScoredPicture] = []
        for numbers, small_masks, logits in self._predictions(model):
            pictures += self._pool.map(self._score, numbers, small_masks, logits)
        return ValidationResult(tuple(pictures))

    def examples(self, model: keras.Model, samples: Sequence[Sample]) -> list[Example]:
        """Predict `samples` of this split for people to look at."""
        numbers = [self._samples.index(sample) for sample in samples]
        logits = model.predict_on_batch(np.stack([self._store.read(number)[0] for number in numbers]))
        pictures = [self._dataset.read(sample) for sample in samples]
        return [
            (image, mask, class_map_from_scores(np.asarray(scores), *mask.shape))
            for (image, mask), scores in zip(pictures, logits, strict=True)
        ]

    def spread(self, count: int) -> list[Sample]:
        """Return `count` samples, evenly spread over the split."""
        chosen = np.linspace(0, len(self._samples) - 1, min(count, len(self._samples))).astype(int)
        return [self._samples[index] for index in chosen]

    def _predictions(self, model: keras.Model) -> Iterator[tuple[Sequence[int], list[ClassMap], np.ndarray]]:
        for start in range(0, len(self._samples), self._batch_size):
            numbers = range(start, min(start + self._batch_size, len(self._samples)))
            images, masks = zip(*self._pool.map(self._store.read, numbers), strict=True)
            yield numbers, list(masks), np.asarray(model.predict_on_batch(np.stack(images)))

    def _score(self, number: int, small_mask: ClassMap, logits: np.ndarray) -> ScoredPicture:
        sample, ignore_id = self._samples[number], self._dataset.ignore_id
        mask = self._dataset.read_mask(sample)
        prediction = class_map_from_scores(logits, *mask.shape)
        confusion = confusion_matrix(mask, prediction, len(self._dataset.classes), ignore_id)
        return ScoredPicture(sample, confusion, _cross_entropy(small_mask, logits, ignore_id))


def _cross_entropy(mask: ClassMap, logits: np.ndarray, ignore_id: int) -> float:
    """Mean over the pixels that count, in nats; mask [h, w], logits [h, w, classes]."""
    counted = mask != ignore_id
    if not counted.any():
        return 0.0
    chosen = logits[counted].astype(np.float64)
    chosen -= chosen.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(chosen).sum(axis=1))
    return float(np.mean(log_total - chosen[np.arange(len(chosen)), mask[counted]]))
