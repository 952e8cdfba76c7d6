import numpy as np
import pytest

from device_fixtures import frame, result
from edge_seg.classes import make_classes
from edge_seg.drawing import draw_overlay
from edge_seg.hud import HudRow, draw_hud, hud_painter, status_rows

CLASSES = make_classes(("background", "pet"))
FOUR = make_classes(("background", "a", "b", "c"))


@pytest.mark.parametrize("opacity", [0.0, 0.25, 1.0])
def test_an_overlay_blends_by_its_opacity_and_leaves_background_and_ignored_pixels(opacity: float) -> None:
    image = np.full((2, 3, 3), 100, np.uint8)
    class_map = np.array([[0, 1, 255], [1, 1, 0]], np.uint8)
    drawn = draw_overlay(image, class_map, CLASSES, opacity)
    expected = 100 * (1 - opacity) + np.array(CLASSES[1].rgb) * opacity
    assert np.abs(drawn[class_map == 1] - expected).max() <= 1
    assert (drawn[class_map != 1] == 100).all()
    assert (image == 100).all()


def blended_everywhere(image: np.ndarray, class_map: np.ndarray, opacity: float) -> np.ndarray:
    """The definition: every colour over the whole picture, taken where its class is."""
    dimmed = np.clip(np.rint(image * (1 - opacity)), 0, 255)
    drawn = image.copy()
    for item in FOUR[1:]:
        coloured = np.clip(np.rint(dimmed + np.array(item.rgb) * opacity), 0, 255)
        drawn[class_map == item.id] = coloured[class_map == item.id]
    return drawn


@pytest.mark.parametrize("seed", range(60))
def test_an_overlay_is_drawn_where_its_classes_are(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 12, 2)
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    class_map = (rng.integers(0, 4, (height, width)) * (rng.random((height, width)) < rng.random())).astype(np.uint8)
    opacity = float(rng.random())
    drawn = draw_overlay(image, class_map, FOUR, opacity)
    difference = np.abs(drawn.astype(int) - blended_everywhere(image, class_map, opacity))
    assert difference.max() <= 1  # float32 against float64
    assert (difference[class_map == 0] == 0).all()


def test_an_overlay_has_each_class_in_its_own_colour() -> None:
    classes = make_classes(tuple("abcdefg"))
    class_map = np.arange(7, dtype=np.uint8)[None]
    drawn = draw_overlay(np.zeros((1, 7, 3), np.uint8), class_map, classes, 1.0)
    assert [tuple(pixel) for pixel in drawn[0].tolist()] == [item.rgb for item in classes]


def test_the_hud_darkens_a_box_and_draws_swatches() -> None:
    image = np.full((480, 640, 3), 200, np.uint8)
    drawn = draw_hud(image, [HudRow("30.0 fps"), HudRow("pet 40.0%", (230, 159, 0))])
    assert (image == 200).all()
    assert (drawn[-100:] == 200).all()
    assert (drawn[:, -100:] == 200).all()
    assert drawn[2, 2].max() < 100
    assert (drawn == (230, 159, 0)).all(axis=2).sum() > 50
    assert (drawn > 240).all(axis=2).sum() > 50


@pytest.mark.parametrize("size", [(24, 32), (240, 320), (1080, 1920)])
def test_the_hud_fits_any_picture(size: tuple[int, int]) -> None:
    drawn = draw_hud(np.zeros((*size, 3), np.uint8), [HudRow("a rather long line of text" * 3)])
    assert drawn.shape == (*size, 3)


def test_status_rows_tell_rate_latency_drops_and_shares() -> None:
    first, *legend = status_rows(result(frame(), fps=24.04, dropped=3))
    assert "24.0 fps" in first.text
    assert "3 dropped" in first.text
    assert "age" not in first.text  # a file's frame has none
    assert [row.text for row in legend] == ["red 50.0%", "blue 50.0%"]
    assert "age 38 ms" in status_rows(result(frame(), age_ms=38.4))[0].text


def test_the_painter_shows_the_numbers() -> None:
    item = frame(image=np.zeros((240, 320, 3), np.uint8))
    paint = hud_painter(CLASSES)
    assert (paint(result(item, fps=99.9, dropped=7)) != paint(result(item))).any()


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4)])
def test_the_smallest_pictures_are_drawn(shape: tuple[int, int]) -> None:
    image, class_map = np.zeros((*shape, 3), np.uint8), np.ones(shape, np.uint8)
    drawn = draw_overlay(image, class_map, make_classes(["background", "leaf"]), 1.0)
    assert (drawn.reshape(-1, 3) == make_classes(["background", "leaf"])[1].rgb).all()
