"""Every converted model is run on the validation split, at image resolution, beside Keras."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_seg.dataset import Dataset, Sample
from edge_seg.images import ClassMap, RgbImage, read_mask
from edge_seg.metrics import Scores, confusion_matrix, scores
from edge_seg.model_info import Precision
from edge_seg.segmenter import Segmenter

# A graph that needs longer than this for a frame runs on reference kernels; a few pictures must do.
SLOW_FRAME_SECONDS = 0.4
SLOW_PICTURES = 5


@dataclass(frozen=True)
class Verified:
    """What one model gave on the validation split.

    `keras_scores` are Keras's own on the same pictures; `agreement` is the share of pixels whose class
    equals Keras's; `pictures` is how many were measured.
    """

    scores: Scores
    keras_scores: Scores
    agreement: float
    pictures: int
    is_slow: bool = False

    @property
    def drop(self) -> float:
        """Keras's mIoU minus this model's, on the same pictures."""
        return self.keras_scores.miou - self.scores.miou


@dataclass
class _Tally:
    segmenter: Segmenter | None
    class_count: int
    pictures: int = 0
    agreeing: int = 0
    pixels: int = 0
    slowest_seconds: float = 0.0
    matrix: np.ndarray = field(init=False)
    keras_matrix: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.matrix = np.zeros((self.class_count, self.class_count), np.int64)
        self.keras_matrix = self.matrix.copy()

    @property
    def is_slow(self) -> bool:
        return self.slowest_seconds > SLOW_FRAME_SECONDS

    @property
    def is_done(self) -> bool:
        return self.is_slow and self.pictures >= SLOW_PICTURES

    def add(self, image: RgbImage, truth: ClassMap, reference: ClassMap, ignore_id: int) -> None:
        began = time.perf_counter()
        class_map = self.segmenter.segment(image).class_map if self.segmenter else reference
        if self.pictures:
            self.slowest_seconds = max(self.slowest_seconds, time.perf_counter() - began)
        self.matrix += confusion_matrix(truth, class_map, self.class_count, ignore_id)
        self.keras_matrix += confusion_matrix(truth, reference, self.class_count, ignore_id)
        self.agreeing += int(np.count_nonzero(class_map == reference))
        self.pixels += class_map.size
        self.pictures += 1

    def result(self) -> Verified:
        return Verified(
            scores(self.matrix), scores(self.keras_matrix), self.agreeing / self.pixels, self.pictures, self.is_slow
        )


def verify(
    models: Mapping[Precision, Path],
    dataset: Dataset,
    keras_masks: Path,
    on_picture: Callable[[], None],
) -> tuple[Verified, dict[Precision, Verified]]:
    """Run every model on every validation picture; a slow model on the first few.

    Args:
        models: a file for each precision.
        dataset: its `val` split is used.
        keras_masks: folder of Keras's own class maps, as keras_export writes them.
        on_picture: called after each picture.

    Returns:
        Keras's own result, and one for each precision.
    """
    class_count = len(dataset.classes)
    keras_tally = _Tally(None, class_count)
    tallies: dict[Precision, _Tally] = {key: _Tally(Segmenter.load(path), class_count) for key, path in models.items()}
    for sample in dataset.samples("val"):
        _add_sample(sample, dataset, keras_masks, [keras_tally, *tallies.values()])
        on_picture()
    return keras_tally.result(), {key: tally.result() for key, tally in tallies.items()}


def _add_sample(sample: Sample, dataset: Dataset, keras_masks: Path, tallies: list[_Tally]) -> None:
    image, truth = dataset.read(sample)
    reference = read_mask(keras_masks / sample.mask_path.name)
    for tally in tallies:
        if not tally.is_done:
            tally.add(image, truth, reference, dataset.ignore_id)
