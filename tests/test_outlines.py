"""Class maps to outlines and back: exact without simplifying, and within a bound with it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_seg.components import components
from edge_seg.outlines import Outlines, Pen, class_iou, draw, paint, simplify, simplify_keeping, trace

CANVAS = 0
class_maps = arrays(
    np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 1, 2, 255])
)


def drawing(*rows: str) -> np.ndarray:
    """Class ids as digits."""
    return np.array([[int(digit) for digit in row] for row in rows], np.uint8)


def blobs(seed: int, side: int = 96, classes: int = 3) -> np.ndarray:
    """A class map with smooth regions, holes and thin parts: smoothed noise cut into levels."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(side, side)), (0, 0), 4)
    return np.digitize(noise, np.quantile(noise, np.linspace(0, 1, classes + 1)[1:-1])).astype(np.uint8)


def ids(outlines: Outlines) -> list[int]:
    return [region.class_id for region in outlines.regions]


# Exactness ------------------------------------------------------------------------------------------


@given(class_maps, st.sampled_from([0, 1, 7]))
@settings(max_examples=400, deadline=None)
def test_painting_undoes_tracing(class_map: np.ndarray, canvas_id: int) -> None:
    traced = trace(class_map, canvas_id)
    assert np.array_equal(paint(traced), class_map)
    assert np.array_equal(paint(simplify(traced, 0)), class_map)
    assert np.array_equal(paint(simplify_keeping(traced, 1.0)), class_map)


@given(class_maps, st.floats(0, 6))
@settings(deadline=None)
def test_a_polygon_has_three_points_inside_the_picture(class_map: np.ndarray, tolerance_px: float) -> None:
    for region in simplify(trace(class_map, CANVAS), tolerance_px).regions:
        assert len(region.points) >= 3
        assert region.points.dtype == np.int32
        assert (region.points >= 0).all()
        assert (region.points < class_map.shape[::-1]).all()


@pytest.mark.parametrize(
    ("class_map", "expected"),
    [
        (drawing("0000", "0000"), []),
        (drawing("0000", "0100"), [1]),
        (drawing("111", "111"), [1]),
        (drawing("11111", "10001", "10201", "10001", "11111"), [1, 0, 2]),
        (drawing("11111", "12221", "12121", "12221", "11111"), [1, 2, 1]),
        (drawing("10", "01"), [1, 1]),  # they touch at a corner alone
        (drawing("0110", "1001", "0110"), [1, 1, 1, 1]),  # ... and enclose nothing
        (drawing("11112", "10002", "22222"), [2, 1]),  # two regions together enclose the canvas: no hole of either
    ],
)
def test_what_is_drawn_in_which_order(class_map: np.ndarray, expected: list[int]) -> None:
    traced = trace(class_map, CANVAS)
    assert sorted(ids(traced)[1:]) == sorted(expected[1:])
    assert ids(traced)[:1] == expected[:1]
    assert np.array_equal(paint(traced), class_map)


def test_small_regions_take_the_class_they_lie_on() -> None:
    class_map = drawing("1111100", "1000100", "1020102", "1000100", "1111100")
    kept = paint(trace(class_map, CANVAS, least_area=2))
    assert np.array_equal(kept, np.where(class_map == 2, 0, class_map))
    assert np.array_equal(paint(trace(class_map, CANVAS, least_area=9))[1:4, 1:4], np.ones((3, 3)))


@given(class_maps, st.sampled_from([4, 8]))
@settings(deadline=None)
def test_components_are_a_partition(class_map: np.ndarray, connectivity) -> None:
    rebuilt, times = np.zeros_like(class_map), np.zeros(class_map.shape, int)
    for item in components(class_map, connectivity):
        height, width = item.mask.shape
        box = np.s_[item.y : item.y + height, item.x : item.x + width]
        rebuilt[box][item.mask == 1] = item.class_id
        times[box] += item.mask
        assert item.mask.sum() == item.area
    assert (times == 1).all()
    assert np.array_equal(rebuilt, class_map)


@pytest.mark.parametrize(("connectivity", "count"), [(4, 4), (8, 2)])
def test_a_corner_connects_eight_neighbours(connectivity, count: int) -> None:
    assert len(list(components(drawing("10", "01"), connectivity))) == count


# Simplification -------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.9, 0.99, 0.999]))
@settings(max_examples=30, deadline=None)
def test_no_class_falls_below_the_bound(seed: int, least_iou: float) -> None:
    class_map = blobs(seed)
    traced = trace(class_map, CANVAS)
    simple = simplify_keeping(traced, least_iou)
    assert min(class_iou(class_map, paint(simple)).values()) >= least_iou
    assert simple.point_count <= simplify(traced, 0).point_count


def test_a_thin_ring_around_a_large_region_keeps_its_share() -> None:
    """The ring bears far fewer changed pixels than what it encloses, so its inner side is drawn finer."""
    class_map = np.zeros((240, 240), np.uint8)
    cv2.circle(class_map, (120, 120), 103, 2, cv2.FILLED)
    cv2.circle(class_map, (120, 120), 100, 1, cv2.FILLED)
    kept = class_iou(class_map, paint(draw(class_map, CANVAS, Pen(least_iou=0.95))))
    assert min(kept.values()) >= 0.95
    assert kept[1] > 0.99


def test_simplifying_drops_most_points() -> None:
    disc = np.zeros((400, 400), np.uint8)
    cv2.circle(disc, (200, 200), 150, 1, cv2.FILLED)
    traced = trace(disc, CANVAS)
    assert traced.point_count > 800
    assert simplify_keeping(traced, 0.99).point_count < 40
    assert simplify(traced, 3).point_count <= 24


def test_a_region_smaller_than_the_tolerance_stays_visible() -> None:
    class_map = np.zeros((40, 40), np.uint8)
    class_map[10:16, 10:17] = 1
    (region,) = simplify(trace(class_map, CANVAS), 20).regions
    assert cv2.contourArea(region.points) > 10


@given(st.integers(0, 10_000), st.floats(0.5, 5))
@settings(max_examples=20, deadline=None)
def test_a_tolerance_bounds_how_far_an_outline_moves(seed: int, tolerance_px: float) -> None:
    traced = trace(blobs(seed), CANVAS)
    for before, after in zip(traced.regions, simplify(traced, tolerance_px).regions, strict=True):
        outline = after.points.reshape(-1, 1, 2).astype(np.float32)
        far = [abs(cv2.pointPolygonTest(outline, (float(x), float(y)), True)) for x, y in before.points]
        assert max(far) <= 2 * tolerance_px  # OpenCV straightens the result once more


@pytest.mark.parametrize(
    ("pen", "points", "regions"), [(Pen(1.0), 11, 2), (Pen(tolerance_px=9.0), 8, 2), (Pen(1.0, least_share=0.1), 4, 1)]
)
def test_a_pen_says_how_to_draw(pen: Pen, points: int, regions: int) -> None:
    class_map = np.zeros((40, 40), np.uint8)
    class_map[2:32, 2:32] = 1
    class_map[35:38, 34:39] = 2
    class_map[34, 36] = 2
    drawn = draw(class_map, CANVAS, pen)
    assert (drawn.point_count, len(drawn.regions)) == (points, regions)


def test_iou_of_every_class() -> None:
    truth, other = drawing("1122", "1100"), drawing("1120", "1000")
    assert class_iou(truth, other) == {0: 2 / 4, 1: 3 / 4, 2: 1 / 2}
    assert class_iou(truth, truth) == {0: 1, 1: 1, 2: 1}
