"""The pet IoU of each contestant, through its own preprocessing, in LiteRT."""

from dataclasses import dataclass
from functools import cached_property

from edge_seg.dataset import Dataset
from edge_seg.dataset.content_hash import content_hash
from edge_seg.errors import ModelError
from edge_seg.evaluate import evaluate
from edge_seg.model_info import ModelInfo
from edge_seg.segmenter import Segmenter
from edge_seg_bench.peers.contestants import Contestant
from edge_seg_bench.peers.descriptions import Description
from edge_seg_bench.peers.pet_iou import PetClasses, pet_classes, pet_iou
from edge_seg_bench.peers.result import PetScore


@dataclass(frozen=True)
class Pictures:
    """A split of a data set."""

    dataset: Dataset
    split: str

    @cached_property
    def sha256(self) -> str:
        """Of the data set, as the models made from it name it."""
        return content_hash(self.dataset)


def score(contestant: Contestant, pictures: Pictures) -> PetScore | None:
    """Score a model on the pictures; None for one that knows no pets.

    Raises:
        ModelError: it does not load, or is not what its description says.
        BenchmarkError: the pictures show no pets.
    """
    segmenter = _load(contestant)
    classes = _pet_classes(segmenter, contestant.description)
    if classes is None:
        return None
    return PetScore(
        iou=pet_iou(segmenter, classes, pictures.dataset, pictures.split),
        miou=_miou(segmenter, pictures),
        unseen=_is_unseen(segmenter.info, pictures),
    )


def _load(contestant: Contestant) -> Segmenter:
    description = contestant.description
    if description is None:
        return Segmenter.load(contestant.path)
    segmenter = Segmenter.load(contestant.path, input_range=description.input_range)
    if (kind := segmenter.output_format.kind) != description.output:
        raise ModelError(
            f"{contestant.path}: gives {kind}, and its description says {description.output}; correct the description"
        )
    return segmenter


def _pet_classes(segmenter: Segmenter, description: Description | None) -> PetClasses | None:
    if description is not None:
        return PetClasses(description.pet_classes)
    return pet_classes([item.name for item in segmenter.classes])


def _miou(segmenter: Segmenter, pictures: Pictures) -> float | None:
    """Return the mIoU of a model that knows the classes of the data set."""
    if tuple(item.name for item in segmenter.classes) != pictures.dataset.manifest.class_names:
        return None
    return evaluate(segmenter, pictures.dataset, pictures.split).scores.miou


def _is_unseen(info: ModelInfo | None, pictures: Pictures) -> bool | None:
    return info.data.sha256 == pictures.sha256 if info and info.data.sha256 else None
