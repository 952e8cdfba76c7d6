"""`check_dataset` collects everything that is wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.dataset.checks import check_dataset
from edge_seg.images import write_mask

SPLITS = {"train": ["a.png", "b.png"], "val": ["c.png"]}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    with DatasetWriter(tmp_path / "x", name="x", classes=make_classes(["background", "leaf"])) as writer:
        for number, name in enumerate(("a.png", "b.png", "c.png")):
            mask = np.array([[0, 0, 0, 1]], np.uint8)
            writer.add_array(name, np.full((1, 4, 3), number, np.uint8), mask)
        writer.use_splits(SPLITS, SplitPolicy())
    return Dataset.open(tmp_path / "x")


def lists(folder: Path, split: str, *names: str) -> None:
    (folder / "splits" / f"{split}.txt").write_text("\n".join(names))


def test_a_good_data_set(dataset: Dataset) -> None:
    report = check_dataset(dataset)
    assert report.findings == ()
    assert report.splits["train"].pictures == 2
    assert report.splits["train"].pixel_shares == {"background": 0.75, "leaf": 0.25}
    assert report.splits["val"].ignored_share == 0


def test_ignored_pixels_are_counted_apart(dataset: Dataset) -> None:
    write_mask(dataset.folder / "masks" / "c.png", np.array([[0, 1, 255, 255]], np.uint8))
    summary = check_dataset(dataset).splits["val"]
    assert (summary.ignored_share, summary.pixel_shares["leaf"]) == (0.5, 0.5)


Spoil = Callable[[Path], object]
ERRORS: list[tuple[Spoil, str]] = [
    (lambda folder: (folder / "images" / "a.png").write_bytes(b"no image"), r"a\.png: not an image"),
    (lambda folder: (folder / "masks" / "a.png").write_bytes(b"no image"), r"masks/a\.png: not an image"),
    (lambda folder: (folder / "images" / "a.png").unlink(), r"images/a\.png: absent"),
    (lambda folder: (folder / "masks" / "a.png").unlink(), r"masks/a\.png: absent"),
    (
        lambda folder: write_mask(folder / "masks" / "a.png", np.zeros((2, 2), np.uint8)),
        "2×2 but its image is 4×1",
    ),
    (lambda folder: write_mask(folder / "masks" / "a.png", np.full((1, 4), 9, np.uint8)), "holds the id 9"),
    (lambda folder: lists(folder, "val", "c.png", "b.png"), r"b\.png: is in train and val"),
    (lambda folder: lists(folder, "val", "c.png", "c.png"), r"'c\.png' more than once"),
    (lambda folder: lists(folder, "test"), r"test\.txt: names no image"),
    (lambda folder: lists(folder, "val", "../c.png", "c.png"), "is a path"),
    (lambda folder: (folder / "splits" / "train.txt").unlink(), r"train\.txt: no such split"),
]
WARNINGS: list[tuple[Spoil, str]] = [
    (
        lambda folder: write_mask(folder / "masks" / "c.png", np.zeros((1, 4), np.uint8)),
        "val: no pixel .* 'leaf'",
    ),
    (lambda folder: lists(folder, "train", "a.png"), r"1 pictures are in no split, first 'b\.png'"),
    (
        lambda folder: (folder / "images" / "c.png").write_bytes((folder / "images" / "a.png").read_bytes()),
        r"'c\.png' is the same file as 'a\.png' in train",
    ),
]


def _one_match(findings, sentence: str) -> bool:
    import re

    return [bool(re.search(sentence, item.sentence)) for item in findings] == [True]


@pytest.mark.parametrize(("spoil", "sentence"), ERRORS)
def test_errors(dataset: Dataset, spoil: Spoil, sentence: str) -> None:
    spoil(dataset.folder)
    report = check_dataset(dataset)
    assert _one_match(report.errors, sentence), report.errors


@pytest.mark.parametrize(("spoil", "sentence"), WARNINGS)
def test_warnings(dataset: Dataset, spoil: Spoil, sentence: str) -> None:
    spoil(dataset.folder)
    report = check_dataset(dataset)
    assert report.errors == ()
    assert _one_match(report.warnings, sentence), report.warnings


def test_all_problems_are_collected(dataset: Dataset) -> None:
    (dataset.folder / "images" / "a.png").write_bytes(b"no image")
    (dataset.folder / "masks" / "a.png").write_bytes(b"no image")
    (dataset.folder / "images" / "b.png").unlink()
    write_mask(dataset.folder / "masks" / "c.png", np.full((1, 4), 9, np.uint8))
    lists(dataset.folder, "test")
    assert len(check_dataset(dataset).errors) == 5
