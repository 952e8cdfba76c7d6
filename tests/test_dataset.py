"""The data set folder: manifest, splits, samples, and writing it all or nothing."""

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy, random_split
from edge_seg.errors import DatasetError

IMAGE = np.zeros((4, 6, 3), np.uint8)
MASK = np.ones((4, 6), np.uint8)
CLASSES = make_classes(["background", "leaf"])


def write(folder: Path, count: int = 5, mask: np.ndarray = MASK, **options) -> Dataset:
    with DatasetWriter(folder, name="toys", classes=CLASSES, **options) as writer:
        for number in range(count):
            writer.add_array(f"p{number}.png", IMAGE, mask)
    return Dataset.open(folder)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return write(tmp_path / "toys")


def test_what_is_written_is_read(dataset: Dataset) -> None:
    assert (dataset.manifest.name, dataset.classes, dataset.ignore_id) == ("toys", CLASSES, 255)
    assert (len(dataset.samples("train")), len(dataset.samples("val"))) == (4, 1)
    image, mask = dataset.read(dataset.samples("train")[0])
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(mask, MASK)


def test_ignored_pixels_survive_the_disk(tmp_path: Path) -> None:
    mask = np.array([[0, 1, 255]], np.uint8)
    with DatasetWriter(tmp_path / "x", name="x", classes=CLASSES) as writer:
        writer.add_array("a.png", np.zeros((1, 3, 3), np.uint8), mask)
    dataset = Dataset.open(tmp_path / "x")
    assert np.array_equal(dataset.read(dataset.samples("train")[0])[1], mask)


@given(
    st.sets(st.text("abc", min_size=1), max_size=40),
    st.integers(0, 9),
    st.floats(0, 0.45),
    st.floats(0, 0.45),
)
def test_splits_share_out_every_picture_once(names: set[str], seed: int, val: float, test: float) -> None:
    policy = SplitPolicy(seed=seed, val=val, test=test)
    parts = random_split(sorted(names), policy)
    assert sorted(name for part in parts.values() for name in part) == sorted(names)
    assert parts == random_split(sorted(names, reverse=True), policy)
    assert not names or parts["train"]


def test_another_seed_is_another_split() -> None:
    names = [str(number) for number in range(50)]
    assert random_split(names, SplitPolicy(seed=0)) != random_split(names, SplitPolicy(seed=1))


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    writer = DatasetWriter(tmp_path / "new" / "toys", name="toys", classes=CLASSES)
    with pytest.raises(RuntimeError, match="in the middle"), writer:  # noqa: PT012
        writer.add_array("a.png", IMAGE, MASK)
        raise RuntimeError("in the middle")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_of_the_data_set_and_not_of_the_picture_copied(tmp_path: Path) -> None:
    writer = DatasetWriter(tmp_path / "toys", name="toys", classes=CLASSES)
    with pytest.raises(OSError, match="full") as caught, writer:
        raise OSError(errno.ENOSPC, "full", "photos/a.jpg")
    assert caught.value.filename == str(tmp_path / "toys")


def test_writer_refuses(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no annotated image"):
        write(tmp_path / "none", count=0)
    writer = DatasetWriter(tmp_path / "twice", name="toys", classes=CLASSES)
    with pytest.raises(DatasetError, match="two images are called 'a'"), writer:  # noqa: PT012
        writer.add_array("a.png", IMAGE, MASK)
        writer.add_array("a.jpg", IMAGE, MASK)
    write(tmp_path / "there")
    with pytest.raises(DatasetError, match="exists already"):
        write(tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_given_splits_replace_the_random_one(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "x", name="x", classes=CLASSES) as writer:
        for name in ("a.png", "b.png"):
            writer.add_array(name, IMAGE, MASK)
        writer.use_splits({"train": ["b.png"], "test": ["a.png"]}, SplitPolicy(policy="by hand"))
    dataset = Dataset.open(tmp_path / "x")
    assert [item.name for item in dataset.samples("train")] == ["b.png"]
    assert not dataset.has_split("val")
    assert dataset.manifest.split.policy == "by hand"


TOML = """name = "x"
classes = [{ id = 0, name = "a", colour = "#000000" }]
"""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "is not TOML"),
        ('name = "x"\n', "classes: Field required"),
        (TOML + "colour = 3\n", "colour: Extra inputs"),
        (TOML.replace("}]", '}, { id = 1, name = "a", colour = "#000000" }]'), "names must differ"),
        (TOML + "ignore_id = 0\n", "ignore_id 0 is also the class 'a'"),
        (TOML.replace("id = 0", "id = 1"), "count from 0 in order"),
        (TOML.replace("#000000", "black"), "#RRGGBB"),
    ],
)
def test_a_bad_manifest_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "dataset.toml").write_text(text)
    with pytest.raises(DatasetError, match=f"dataset.toml: .*{sentence}"):
        Dataset.open(tmp_path)


def test_folders_that_are_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="edge-seg data import"):
        Dataset.open(tmp_path)
    with pytest.raises(DatasetError, match="no such folder"):
        Dataset.open(tmp_path / "gone")


@pytest.mark.parametrize(
    ("listed", "sentence"),
    [
        (b"", "names no image"),
        (b"gone.png\n", "gone.png: absent"),
        (b"../p0.png\n", "is a path"),
        (b"caf\xe9.png\n", "train.txt: is not UTF-8"),
    ],
)
def test_bad_split_lists(dataset: Dataset, listed: bytes, sentence: str) -> None:
    (dataset.folder / "splits" / "train.txt").write_bytes(listed)
    with pytest.raises(DatasetError, match=sentence):
        dataset.samples("train")


def test_an_unknown_split_lists_the_known(dataset: Dataset) -> None:
    with pytest.raises(DatasetError, match=r"test\.txt: no such split; this data set has train, val"):
        dataset.samples("test")


@pytest.mark.parametrize(
    ("mask", "sentence"),
    [
        (np.full((4, 6), 2, np.uint8), "holds the id 2"),
        (np.zeros((6, 4), np.uint8), "4×6 but its image is 6×4"),
    ],
)
def test_reading_checks_the_pair(tmp_path: Path, mask: np.ndarray, sentence: str) -> None:
    dataset = write(tmp_path / "toys", mask=mask)
    with pytest.raises(DatasetError, match=sentence):
        dataset.read(dataset.samples("train")[0])
