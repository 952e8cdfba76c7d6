"""What classes a data set holds, before anything is learned from it."""

from pathlib import Path

import numpy as np
import pytest

from edge_seg.classes import IGNORE_ID, make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.errors import TrainingError
from edge_seg_train.class_balance import check_has_classes


def data_set(folder: Path, train: list[int], val: list[int], names: tuple[str, ...] = ("ground", "fire")) -> Dataset:
    """A data set with one picture per class id, which its whole mask has."""
    with DatasetWriter(folder, name="toy", classes=make_classes(names)) as writer:
        splits: dict[str, list[str]] = {"train": [], "val": []}
        for split, ids in (("train", train), ("val", val)):
            for number, class_id in enumerate(ids):
                name = f"{split}{number}.png"
                writer.add_array(name, np.zeros((4, 4, 3), np.uint8), np.full((4, 4), class_id, np.uint8))
                splits[split].append(name)
        writer.use_splits(splits, SplitPolicy())
    return Dataset.open(folder)


@pytest.mark.parametrize(("train", "val"), [([0, 1], [0]), ([0, 0, IGNORE_ID, 1], [IGNORE_ID, 1])])
def test_two_classes_to_learn_and_something_to_score(tmp_path: Path, train: list[int], val: list[int]) -> None:
    check_has_classes(data_set(tmp_path / "data", train, val))


@pytest.mark.parametrize(
    ("train", "val", "sentence"),
    [
        ([0, 0, 0], [0, 1], "fewer than two classes"),
        ([1, IGNORE_ID], [0, 1], "fewer than two classes"),
        ([IGNORE_ID], [0, 1], "fewer than two classes"),
        ([0, 1], [IGNORE_ID, IGNORE_ID], "validation masks is ignored"),
    ],
)
def test_nothing_to_tell_apart_is_one_sentence(tmp_path: Path, train: list[int], val: list[int], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        check_has_classes(data_set(tmp_path / "data", train, val))


def test_one_class_alone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="has one class"):
        check_has_classes(data_set(tmp_path / "data", [0], [0], ("ground",)))
