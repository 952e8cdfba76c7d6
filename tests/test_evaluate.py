from pathlib import Path

import numpy as np
import pytest

from device_fixtures import half_red_half_blue, red_or_blue, red_or_blue_segmenter
from edge_seg.classes import make_classes
from edge_seg.dataset import Dataset, DatasetWriter, SplitPolicy
from edge_seg.errors import DatasetError, ModelError
from edge_seg.evaluate import evaluate
from edge_seg.failures import failure_sheet
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


def test_the_worst_pictures_come_first_and_those_ignored_as_a_whole_never(tmp_path: Path) -> None:
    masks = [halves(), halves(left=1, right=0), halves(left=255, right=255), halves(right=0)]
    evaluation = evaluate(red_or_blue_segmenter(), dataset(tmp_path / "d", masks))
    assert [picture.sample.name for picture in evaluation.pictures] == ["0.png", "1.png", "2.png", "3.png"]
    worst = [(picture.sample.name, picture.scores.miou) for picture in evaluation.worst(2)]
    assert worst == [("1.png", 0), ("3.png", 0.25)]
    assert [picture.sample.name for picture in evaluation.worst(9)] == ["1.png", "3.png", "0.png"]


def test_a_failure_sheet_shows_photograph_truth_and_answer(tmp_path: Path) -> None:
    segmenter = red_or_blue_segmenter()
    toy = dataset(tmp_path / "d", [halves(200, 300), halves(200, 300, left=1, right=0)])
    pictures = evaluate(segmenter, toy).pictures
    right, wrong, both = (failure_sheet(segmenter, toy, some) for some in (pictures[:1], pictures[1:], pictures))
    assert both.shape[1] > 1.8 * right.shape[1]
    photograph, truth, answer = colours_of(right)
    assert photograph != truth == answer
    photograph, wrong_truth, same_answer = colours_of(wrong)
    assert photograph != wrong_truth != truth
    assert same_answer == answer


def colours_of(sheet: np.ndarray) -> list[list[tuple[int, ...]]]:
    """Give the colours of the left and the right half of a sheet's three pictures."""
    width = sheet.shape[1] // 3
    columns = [[round((index + share) * width) for share in (0.3, 0.7)] for index in range(3)]
    return [[tuple(map(int, sheet[60, column])) for column in pair] for pair in columns]


def test_a_failure_sheet_says_whose_photographs_it_shows(tmp_path: Path) -> None:
    segmenter, silent = red_or_blue_segmenter(), dataset(tmp_path / "d", [halves()])
    plain = failure_sheet(segmenter, silent, evaluate(segmenter, silent).pictures)
    described = tmp_path / "d" / "dataset.toml"
    described.write_text(described.read_text().replace('licence = ""', 'licence = "CC BY 4.0"'))
    stated = Dataset.open(tmp_path / "d")
    credited = failure_sheet(segmenter, stated, evaluate(segmenter, stated).pictures)
    assert credited.shape[0] > plain.shape[0]
    assert np.ptp(credited[plain.shape[0] - 10 : -10], axis=(0, 1)).min() > 50


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
