"""How sure a model was: margins of scores and probabilities, and flicker, on arrays of a few pixels."""

import numpy as np
import pytest

from device_fixtures import FakeEngine, half_red_half_blue, red_or_blue_segmenter, spec
from edge_seg.scores import ScoreMap
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import default_model
from edge_seg.uncertainty import flicker, uncertainty


def pixels(*values: list[float], dtype: str = "float32") -> np.ndarray:
    """A map of one row: each argument is a pixel's channels."""
    return np.array([values], dtype)


@pytest.mark.parametrize(
    ("scores", "margin"),
    [
        ([0.0, 0.0], 0.0),
        ([np.log(3), 0.0], 0.5),  # 3/4 against 1/4
        ([0.0, np.log(3)], 0.5),
        ([50.0, -50.0], 1.0),
        ([5.0, 5.0 + np.log(2), 5.0], 0.25),  # 2/4 against 1/4
        ([0.7, 0.2, 0.1], 0.5),  # probabilities already
        ([0.25], 0.5),  # of one class
        ([0.75], 0.5),
        ([0.5], 0.0),
        ([1.0], 1.0),
    ],
)
def test_margin_is_the_lead_of_the_likeliest_class(scores: list[float], margin: float) -> None:
    assert ScoreMap(pixels(scores)).margin == pytest.approx(np.array([[margin]]), abs=1e-5)


@pytest.mark.parametrize(("dtype", "zero_point"), [("int8", -30), ("uint8", 98)])
@pytest.mark.parametrize("scale", [0.02, 0.2])
def test_quantised_scores_are_as_sure_as_the_real_numbers_they_stand_for(
    dtype: str, zero_point: int, scale: float
) -> None:
    real = np.array([[[0.4, -0.2, 0.0], [1.0, 1.0, -1.0]]], np.float32)
    stored = (np.rint(real / scale) + zero_point).astype(dtype)
    assert ScoreMap(stored, scale, zero_point).margin == pytest.approx(ScoreMap(real).margin, abs=1e-5)


def test_quantised_probabilities_get_no_second_softmax() -> None:
    stored = np.array([[[179 - 128, 51 - 128, 26 - 128]]], np.int8)  # 0.7, 0.2, 0.1 in 256ths, as TFLite stores them
    assert ScoreMap(stored, 1 / 256, -128).margin == pytest.approx(np.array([[0.5]]), abs=0.01)
    probability = np.array([[[-64]]], np.int8)
    assert ScoreMap(probability, 1 / 256, -128).margin == pytest.approx(np.array([[0.5]]))


def test_a_small_object_counts_as_much_as_its_surroundings() -> None:
    sure, unsure = [20.0, 0.0], [0.0, np.log(3)]
    assert uncertainty(ScoreMap(pixels(*[sure] * 9, unsure))) == pytest.approx((0 + 0.5) / 2, abs=1e-4)
    assert uncertainty(ScoreMap(pixels(*[sure] * 10))) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("now", "grey_now", "expected"),
    [
        ([0, 0, 1, 1], [10, 10, 10, 10], 0.0),
        ([0, 1, 1, 1], [10, 10, 10, 10], 0.25),
        ([0, 1, 1, 1], [10, 90, 10, 10], 0.0),  # it changed where the picture did
        ([1, 0, 1, 1], [10, 90, 10, 10], 1 / 3),
        ([1, 1, 0, 0], [90, 90, 90, 10], 0.0),  # most of the picture moved: nothing can be said
    ],
)
def test_flicker_is_change_of_class_where_the_picture_stands_still(
    now: list[int], grey_now: list[int], expected: float
) -> None:
    before, grey_before = np.array([[0, 0, 1, 1]], np.uint8), np.full((1, 4), 10, np.uint8)
    found = flicker(before, np.array([now], np.uint8), grey_before, np.array([grey_now], np.uint8))
    assert found == pytest.approx(expected)


def test_grey_levels_do_not_wrap_around() -> None:
    before, now = np.full((1, 2), 250, np.uint8), np.full((1, 2), 2, np.uint8)
    assert flicker(np.zeros((1, 2), np.uint8), np.ones((1, 2), np.uint8), before, now) == 0


def test_a_segmentation_carries_its_scores_at_network_size_and_class_ids_have_none() -> None:
    segmentation = red_or_blue_segmenter().segment(half_red_half_blue())
    assert segmentation.scores is not None
    assert segmentation.scores.margin.shape == (8, 8)
    assert segmentation.scores.class_map[:, [0, 7]].tolist() == [[0, 1]] * 8
    ids = FakeEngine([spec((1, 8, 8, 3))], [spec((1, 8, 8, 1), "uint8")], lambda image: image[..., 0] // 255)
    assert Segmenter(ids, labels=("a", "b")).segment(half_red_half_blue()).scores is None


def test_the_shipped_int8_model_is_surest_away_from_outlines() -> None:
    segmenter = Segmenter.load(default_model())
    scores = segmenter.segment(half_red_half_blue(240, 320)).scores
    assert scores is not None
    assert scores.values.dtype == np.int8
    assert scores.probabilities.sum(axis=2) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(scores.class_map, scores.values.argmax(axis=2))
    assert 0 < uncertainty(scores) < 1
