"""Accuracy of a model on a data set folder, at full image resolution. No TensorFlow needed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_seg.dataset import Dataset, Sample
from edge_seg.errors import DatasetError, ModelError
from edge_seg.metrics import Scores, confusion_matrix, scores
from edge_seg.segmenter import Segmenter


@dataclass(frozen=True)
class PictureScores:
    """What a model reached on one picture."""

    sample: Sample
    scores: Scores


@dataclass(frozen=True)
class Evaluation:
    """What a model reached on one split."""

    scores: Scores
    class_names: tuple[str, ...]
    images: int
    latency_p50_ms: float
    """Median over the images of the three stages together."""
    invoke_p50_ms: float
    pictures: tuple[PictureScores, ...]
    """In the order of the split's list."""

    @property
    def iou_by_class(self) -> dict[str, float]:
        """IoU per class name; NaN for a class that occurs in neither truth nor prediction."""
        return dict(zip(self.class_names, self.scores.iou, strict=True))

    def worst(self, count: int) -> tuple[PictureScores, ...]:
        """Return the pictures of the lowest mIoU, the lowest first; those that are ignored as a whole have none."""
        scored = [picture for picture in self.pictures if not np.isnan(picture.scores.miou)]
        return tuple(sorted(scored, key=lambda picture: picture.scores.miou)[:count])


def evaluate(
    segmenter: Segmenter,
    dataset: Dataset,
    split: str = "val",
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Segment every image of a split and compare with its mask, pixel by pixel of the original size.

    Args:
        segmenter: the model; its class names must be those of the data set, in the same order.
        dataset: an opened data set folder.
        split: "train", "val" or "test".
        progress: called with (images done, images in all) after each image.

    Raises:
        ModelError: the model knows other classes than the data set.
        DatasetError: no such split, or a sample that does not keep the contract.
        ImageError: a picture or mask that cannot be decoded.
    """
    names = check_same_classes(segmenter, dataset)
    samples = dataset.samples(split)
    matrix = np.zeros((len(names), len(names)), np.int64)
    pictures: list[PictureScores] = []
    latencies_ms: list[tuple[float, float]] = []
    for done, sample in enumerate(samples, start=1):
        image, truth = dataset.read(sample)
        segmentation = segmenter.segment(image)
        counted = confusion_matrix(truth, segmentation.class_map, len(names), dataset.ignore_id)
        matrix += counted
        pictures.append(PictureScores(sample, scores(counted)))
        latencies_ms.append((segmentation.latency_ms, segmentation.invoke_ms))
        if progress is not None:
            progress(done, len(samples))
    if not matrix.any():
        raise DatasetError(f"{dataset.folder}: every pixel of the split '{split}' is ignored, nothing to score")
    whole_ms, invoke_ms = np.median(np.array(latencies_ms), axis=0)
    return Evaluation(scores(matrix), names, len(samples), float(whole_ms), float(invoke_ms), tuple(pictures))


def check_same_classes(segmenter: Segmenter, dataset: Dataset) -> tuple[str, ...]:
    """Return the class names that model and data set share.

    Raises:
        ModelError: they differ in names, number or order.
    """
    model_names = tuple(item.name for item in segmenter.classes)
    if model_names != dataset.manifest.class_names:
        raise ModelError(
            f"the model '{segmenter.name}' knows the classes {_listed(model_names)}, the data set "
            f"{dataset.folder} has {_listed(dataset.manifest.class_names)}; take a model trained on it, or "
            "name them with --labels"
        )
    return model_names


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
