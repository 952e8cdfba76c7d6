"""What the best model of each run makes of the same validation pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from edge_seg.dataset import Dataset
from edge_seg.images import ClassMap, RgbImage
from edge_seg.metrics import confusion_matrix, scores
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.kept_network import load_network
from edge_seg_train.validation import ValidationSet

PICTURE_COUNT = 4


@dataclass(frozen=True)
class ComparedPicture:
    """Photograph [h, w, 3] and truth [h, w] with a prediction [h, w] and its mIoU for each run, by the run's name."""

    name: str
    photograph: RgbImage
    truth: ClassMap
    predictions: dict[str, ClassMap] = field(default_factory=dict)
    mious: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LookedAt:
    """The pictures, and the count of weights that training changed for each run."""

    pictures: tuple[ComparedPicture, ...]
    trained_parameters: dict[str, int]


def look_at(folders: Mapping[str, RunFolder], config: RunConfig, place: Path) -> LookedAt:
    """Load every run's best model in turn, and predict the same few pictures of the validation split.

    Args:
        folders: runs by name, all of one data set and input size.
        config: of any of them.
        place: folder to write a cache into, if one were needed.
    """
    dataset = Dataset.open(config.data)
    validation = ValidationSet(dataset, config.model_copy(update={"cache": "off"}), place)
    samples = validation.spread(PICTURE_COUNT)
    pictures = tuple(ComparedPicture(sample.image_path.name, *dataset.read(sample)) for sample in samples)
    trained: dict[str, int] = {}
    for name, folder in folders.items():
        model = load_network(folder)
        trained[name] = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
        for picture, (_, truth, prediction) in zip(pictures, validation.examples(model, samples), strict=True):
            counts = confusion_matrix(truth, prediction, len(dataset.classes), dataset.ignore_id)
            picture.predictions[name], picture.mious[name] = prediction, scores(counts).miou
        keras.backend.clear_session()
    return LookedAt(pictures, trained)
