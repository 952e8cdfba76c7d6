from pathlib import Path

import numpy as np
import pytest

from device_fixtures import half_red_half_blue, red_or_blue, red_or_blue_segmenter
from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.errors import DatasetError, ModelError
from edge_seg.evaluate import evaluate
from edge_seg.segmenter import Segmenter


def dataset(folder: Path, masks: list[np.ndarray], names: tuple[str, ...] = ("red", "blue")) -> Dataset:
    with DatasetWriter(folder, name="toy", classes=make_classes(names)) as writer:
        for index, mask in enumerate(masks):
            writer.add_array(f"{index}.png", half_red_half_blue(*mask.shape), mask)
        listed = [f"{index}.png" for index in range(len(masks))]
        writer.use_splits({"val": listed}, SplitPolicy())
    return Dataset.open(folder)


def halves(height: int = 32, width: int = 48, left: int = 0, right: int = 1) -> np.ndarray:
    mask = np.full((height, width), left, np.uint8)
    mask[:, width // 2 :] = right
    return mask


@pytest.mark.parametrize(
    ("masks", "iou"),
    [
        ([halves()], (1, 1)),
        ([halves(), halves(64, 32)], (1, 1)),
        ([halves(left=1, right=0)], (0, 0)),
        ([halves(right=0)], (0.5, 0)),
        ([halves(right=255)], (1, float("nan"))),
    ],
)
def test_scores_are_pooled_over_pixels_of_the_original_size(tmp_path: Path, masks, iou) -> None:
    evaluation = evaluate(red_or_blue_segmenter(), dataset(tmp_path / "d", masks))
    assert evaluation.scores.iou == pytest.approx(iou, nan_ok=True)
    assert evaluation.images == len(masks)
    assert evaluation.latency_p50_ms > evaluation.invoke_p50_ms > 0
    assert list(evaluation.iou_by_class) == ["red", "blue"]


def test_progress_counts_images(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    evaluate(red_or_blue_segmenter(), dataset(tmp_path / "d", [halves()] * 3), "val", lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("labels", [("blue", "red"), ("red", "green")])
def test_other_classes_are_refused_in_a_sentence(tmp_path: Path, labels) -> None:
    segmenter = Segmenter(red_or_blue(), labels=labels)
    with pytest.raises(ModelError, match="red, blue"):
        evaluate(segmenter, dataset(tmp_path / "d", [halves()]))


def test_a_split_of_ignored_pixels_has_no_score(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="ignored"):
        evaluate(red_or_blue_segmenter(), dataset(tmp_path / "d", [halves(left=255, right=255)]))


def test_an_absent_split_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"test\.txt"):
        evaluate(red_or_blue_segmenter(), dataset(tmp_path / "d", [halves()]), "test")
