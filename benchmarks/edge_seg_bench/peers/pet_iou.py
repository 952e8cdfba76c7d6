"""Pet against background: one rule for models of whatever classes, on the same pictures.

Every model gets the pictures through its own preprocessing (`edge_seg.Segmenter`: its size, its range of numbers)
and answers at the pictures' full resolution: scores are upsampled bilinearly before the best one is taken, a map of
class ids by the nearest pixel. Then

    truth    pet where the data set's class is "pet", background where it is any other; pixels of the class "border"
             and of the ignore id count for nothing, whatever is answered there
    answer   pet where the best class is one of the model's pet classes, background elsewhere; a class "border", which
             only models trained on such data have, does not compete: the better one of the others is taken
    IoU      pixels that are pet in both, over pixels that are pet in either, summed over all pictures before the
             division (as PASCAL VOC does), so that a picture without a pet needs no special case
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset import Dataset
from edge_seg.errors import BenchmarkError, ModelError
from edge_seg.images import ClassMap
from edge_seg.resampling import class_map_from_scores
from edge_seg.scores import ScoreMap
from edge_seg.segmenter import Segmentation, Segmenter

PET, BORDER = "pet", "border"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PetClasses:
    """Which class ids are pet, and which are left out; all others are background."""

    pet: tuple[int, ...]
    left_out: tuple[int, ...] = ()


@dataclass(frozen=True)
class PetPixels:
    """Pixels that are pet in truth and answer, and in one of them or both."""

    both: int
    either: int

    def __add__(self, other: "PetPixels") -> "PetPixels":
        return PetPixels(self.both + other.both, self.either + other.either)

    @property
    def iou(self) -> float:
        """Of the pet, 0 to 1.

        Raises:
            BenchmarkError: there is no pet, neither in truth nor in answer.
        """
        if self.either == 0:
            raise BenchmarkError("no pixel of these pictures is a pet; give --data a data set with pets")
        return self.both / self.either


def pet_classes(names: Sequence[str]) -> PetClasses | None:
    """Return which of the classes of these names, in the order of their ids, are pet; None when there is no "pet"."""
    if PET not in names:
        return None
    pet, border = (tuple(index for index, name in enumerate(names) if name == wanted) for wanted in (PET, BORDER))
    return PetClasses(pet, border)


def count_pet_pixels(answer: Mask, truth: ClassMap, classes: PetClasses, ignore_id: int) -> PetPixels:
    """Count the pixels of one picture.

    Args:
        answer: [h, w], True where the model says pet.
        truth: [h, w] uint8, the data set's class ids.
        classes: of the data set.
        ignore_id: of the data set.
    """
    counted = ~np.isin(truth, (*classes.left_out, ignore_id))
    is_pet = np.isin(truth, classes.pet)
    return PetPixels(int(np.count_nonzero(answer & is_pet)), int(np.count_nonzero((answer | is_pet) & counted)))


def pet_mask(segmentation: Segmentation, classes: PetClasses) -> Mask:
    """Return where a model says pet, [h, w] at the picture's size.

    Raises:
        ModelError: a class is to be left out, and the model gives class ids without scores.
    """
    class_map = segmentation.class_map
    if classes.left_out:
        if segmentation.scores is None:
            raise ModelError("gives class ids alone, of which none can be left out; convert it with --output scores")
        class_map = _without(segmentation.scores, classes.left_out, class_map.shape)
    return np.isin(class_map, classes.pet)


def pet_iou(segmenter: Segmenter, classes: PetClasses, dataset: Dataset, split: str) -> float:
    """Return a model's pet IoU on a split.

    Raises:
        BenchmarkError: the data set has no class "pet", or the split no pixel of it.
        DatasetError, ImageError: a sample that does not keep the contract, or cannot be decoded.
        ModelError: the model cannot be scored so.
    """
    truth_classes = pet_classes(dataset.manifest.class_names)
    if truth_classes is None:
        names = ", ".join(dataset.manifest.class_names)
        raise BenchmarkError(f"{dataset.folder}: has no class 'pet' (but {names}); give --data a data set with pets")
    pixels = PetPixels(0, 0)
    for sample in dataset.samples(split):
        image, truth = dataset.read(sample)
        answer = pet_mask(segmenter.segment(image), classes)
        pixels += count_pet_pixels(answer, truth, truth_classes, dataset.ignore_id)
    return pixels.iou


def _without(scores: ScoreMap, left_out: Sequence[int], size: tuple[int, ...]) -> ClassMap:
    kept = np.setdiff1d(np.arange(scores.values.shape[2], dtype=np.uint8), left_out)
    height, width = size
    return kept[class_map_from_scores(scores.reals[:, :, kept], height, width)]
