import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_seg.resampling import (
    class_map_from_probability,
    class_map_from_scores,
    contenders,
    count_pixels,
    enlarge_class_map,
    shrink_image,
    shrink_mask,
)


def bilinear_argmax(scores: np.ndarray, height: int, width: int) -> np.ndarray:
    """The definition in plain NumPy: pixel centres aligned, edges repeated."""
    ys = np.clip((np.arange(height) + 0.5) * scores.shape[0] / height - 0.5, 0, scores.shape[0] - 1)
    xs = np.clip((np.arange(width) + 0.5) * scores.shape[1] / width - 0.5, 0, scores.shape[1] - 1)
    top, left = np.floor(ys).astype(int), np.floor(xs).astype(int)
    bottom, right = np.minimum(top + 1, scores.shape[0] - 1), np.minimum(left + 1, scores.shape[1] - 1)
    down, across = (ys - top)[:, None, None], (xs - left)[None, :, None]
    upper = scores[top][:, left] * (1 - across) + scores[top][:, right] * across
    lower = scores[bottom][:, left] * (1 - across) + scores[bottom][:, right] * across
    return np.argmax(upper * (1 - down) + lower * down, axis=2)


@pytest.mark.parametrize("classes", [2, 3, 5, 21])
def test_scores_are_upsampled_bilinearly_before_the_argmax(classes: int) -> None:
    scores = np.random.default_rng(classes).random((6, 7, classes), np.float32)
    expected = bilinear_argmax(scores, 24, 35)
    assert (class_map_from_scores(scores, 24, 35) == expected).mean() > 0.999


@pytest.mark.parametrize("classes", [2, 3, 21])
def test_uint8_scores_agree_with_float_ones_but_for_rounding(classes: int) -> None:
    scores = np.random.default_rng(classes).integers(0, 256, (6, 7, classes), np.uint8)
    expected = bilinear_argmax(scores.astype(np.float64), 24, 35)
    assert (class_map_from_scores(scores, 24, 35) == expected).mean() > 0.97


def all_classes_upsampled(scores: np.ndarray, height: int, width: int) -> np.ndarray:
    """The definition with OpenCV's arithmetic: every class upsampled, the first of the best taken."""
    planes = [np.ascontiguousarray(scores[..., index]) for index in range(scores.shape[2])]
    method = cv2.INTER_LINEAR_EXACT
    return np.argmax([cv2.resize(plane, (width, height), interpolation=method) for plane in planes], axis=0)


SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=9)
UINT8 = arrays.arrays(np.uint8, SHAPES, elements=st.integers(0, 255))
NARROW = arrays.arrays(np.uint8, SHAPES, elements=st.integers(126, 130))  # ties everywhere
FLOATS = arrays.arrays(np.float32, SHAPES, elements=st.floats(-20, 20, width=32))


@settings(deadline=None, max_examples=300)
@given(st.one_of(UINT8, NARROW, FLOATS), st.integers(1, 40), st.integers(1, 40))
def test_leaving_out_classes_that_win_nowhere_changes_no_pixel(scores, height: int, width: int) -> None:
    expected = all_classes_upsampled(scores, height, width)
    assert (class_map_from_scores(scores, height, width) == expected).all()
    assert set(np.unique(expected)) <= set(contenders(np.ascontiguousarray(scores.transpose(2, 0, 1))))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_class_may_win_between_two_pixels_where_others_win(dtype: type) -> None:
    scores = np.array([[[100, 70, 0], [0, 70, 100]]] * 2, dtype)
    assert contenders(np.ascontiguousarray(scores.transpose(2, 0, 1))) == [0, 1, 2]
    assert 1 in class_map_from_scores(scores, 2, 9)


def test_a_class_that_wins_nowhere_is_no_contender() -> None:
    planes = np.zeros((10, 6, 6), np.uint8)
    planes[4], planes[7, :, 3:] = 90, 200
    assert contenders(planes) == [4, 7]


def test_not_a_number_leaves_a_class_map() -> None:
    assert class_map_from_scores(np.full((3, 3, 2), np.nan, np.float32), 4, 5).shape == (4, 5)


@pytest.mark.parametrize("classes", [2, 3, 6, 7, 21, 255])
def test_pixels_are_counted(classes: int) -> None:
    class_map = np.random.default_rng(classes).integers(0, classes, (37, 41)).astype(np.uint8)
    assert count_pixels(class_map, classes) == np.bincount(class_map.ravel(), minlength=classes).tolist()


def test_the_lower_id_wins_a_tie() -> None:
    assert class_map_from_scores(np.full((2, 2, 3), 7, np.uint8), 4, 4).max() == 0


def test_scores_need_not_be_contiguous() -> None:
    scores = np.random.default_rng(0).random((3, 6, 7), np.float32)
    turned = scores.transpose(1, 2, 0)
    assert (class_map_from_scores(turned, 12, 14) == class_map_from_scores(turned.copy(), 12, 14)).all()


@pytest.mark.parametrize(("value", "expected"), [(0.4, 0), (0.5, 0), (0.6, 1)])
def test_probability_counts_above_its_threshold(value: float, expected: int) -> None:
    class_map = class_map_from_probability(np.full((2, 2), value, np.float32), 0.5, 5, 5)
    assert class_map.dtype == np.uint8
    assert (class_map == expected).all()


def test_shrinking_averages_areas() -> None:
    stripes = np.zeros((8, 8, 3), np.uint8)
    stripes[:, ::2] = 200
    assert (shrink_image(stripes, 2, 2) == 100).all()


def test_masks_keep_their_ids() -> None:
    mask = np.array([[0, 0, 7, 7], [0, 0, 7, 7], [3, 3, 255, 255], [3, 3, 255, 255]], np.uint8)
    assert shrink_mask(mask, 2, 2).tolist() == [[0, 7], [3, 255]]
    assert (enlarge_class_map(shrink_mask(mask, 2, 2), 4, 4) == mask).all()
