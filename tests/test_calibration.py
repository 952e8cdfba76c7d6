"""The calibration set covers classes and brightness, without copies, the same every time."""

import numpy as np
import pytest

pytest.importorskip("litert_quantizer", reason="needs edge-seg[convert]")

from edge_seg import DatasetWriter
from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset
from edge_seg_convert.calibration import Candidate, calibration_set, content_hash, read_candidates, spread_out


def candidate(name: str, *features: float) -> Candidate:
    return Candidate(name, np.zeros((2, 2, 3), np.uint8), np.array(features))


@pytest.mark.parametrize(
    ("count", "names"),
    [
        (1, ["ordinary"]),
        (2, ["ordinary", "bright"]),
        (3, ["ordinary", "bright", "rare class"]),
        (9, ["ordinary", "bright", "rare class", "alike", "ordinary too"]),
        (0, ["ordinary"]),
    ],
)
def test_the_farthest_come_first(count: int, names: list[str]) -> None:
    candidates = [
        candidate("ordinary", 1.0, 0.0, 0.3),
        candidate("ordinary too", 1.0, 0.0, 0.3),
        candidate("alike", 0.9, 0.1, 0.3),
        candidate("rare class", 0.6, 0.4, 0.3),
        candidate("bright", 1.0, 0.0, 1.0),
    ]
    assert [item.name for item in spread_out(candidates, count)] == names


def test_nothing_to_choose_from() -> None:
    assert spread_out([], 5) == []


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Twenty dark pictures of background, one of them three times, and one bright one of the rare class."""
    folder = tmp_path_factory.mktemp("calibration") / "data"
    rng = np.random.default_rng(0)
    copied = rng.integers(0, 60, (24, 32, 3), np.uint8)
    with DatasetWriter(folder, name="dark", classes=make_classes(["background", "rare"])) as writer:
        for index in range(20):
            writer.add_array(f"{index}.png", rng.integers(0, 60, (24, 32, 3), np.uint8), np.zeros((24, 32), np.uint8))
        for index in range(3):
            writer.add_array(f"copy{index}.png", copied, np.zeros((24, 32), np.uint8))
        writer.add_array("rare.png", np.full((24, 32, 3), 250, np.uint8), np.ones((24, 32), np.uint8))
    names = [f"{index}.png" for index in range(20)] + ["copy0.png", "copy1.png", "copy2.png", "rare.png"]
    (folder / "splits").mkdir(exist_ok=True)
    (folder / "splits" / "train.txt").write_text("\n".join(names) + "\n")
    return Dataset.open(folder)


def test_copies_are_read_once(dataset: Dataset) -> None:
    read = read_candidates(dataset, 100, 12, 16)
    assert len(read) == 22
    assert sum(item.name.startswith("copy") for item in read) == 1
    assert {item.image.shape for item in read} == {(12, 16, 3)}


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_class_is_among_few(dataset: Dataset, seed: int) -> None:
    chosen = calibration_set(dataset, 8, 12, 16, seed)
    assert "rare.png" in [item.name for item in chosen[:2]]
    again = calibration_set(dataset, 8, 12, 16, seed)
    assert content_hash(again) == content_hash(chosen)
    assert content_hash(again[::-1]) != content_hash(chosen)
