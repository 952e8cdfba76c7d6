"""The averages in whole numbers are OpenCV's, byte for byte."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_seg.area_average import area_average

# (height, width) of images and of networks
SIZES = [
    ((480, 640), (128, 128)),
    ((480, 640), (256, 256)),
    ((240, 320), (128, 128)),
    ((405, 720), (216, 384)),
    ((630, 720), (14, 16)),
    ((243, 125), (81, 25)),
    ((45, 45), (1, 1)),
    ((128, 128), (128, 128)),
    ((480, 720), (96, 144)),
]


def opencv_area(image: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def check(image: np.ndarray, height: int, width: int) -> bool:
    """Compare where the averages in whole numbers are to be used; tell whether they are."""
    average = area_average(image.shape[:2], (height, width))
    if average is not None:
        assert (average.shrink(image, height, width) == opencv_area(image, height, width)).all()
    return average is not None


@pytest.mark.parametrize(("source", "target"), SIZES)
@pytest.mark.parametrize("values", ["noise", "black and white", "smooth"])
def test_common_sizes(source, target, values: str) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (*source, 3)).astype(np.uint8)
    if values == "black and white":
        noise = np.where(noise < 128, 0, 255).astype(np.uint8)
    if values == "smooth":
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)
    assert check(noise, *target)


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_any_size(height: int, width: int, data) -> None:
    rows, columns = data.draw(st.integers(height, 15 * height)), data.draw(st.integers(width, 15 * width))
    seed = data.draw(st.integers(0, 2**32 - 1))
    check(np.random.default_rng(seed).integers(0, 256, (rows, columns, 3)).astype(np.uint8), height, width)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((256, 256), (128, 128)),  # even: averages may lie halfway between two bytes
        ((1080, 1920), (128, 128)),  # float32 copy too large
        ((101, 103), (10, 10)),  # divisor 10,403
        ((360, 640), (128, 128)),  # 16 rows for 45
    ],
)
def test_elsewhere_opencv_decides(source, target) -> None:
    assert area_average(source, target) is None


def test_an_image_that_is_a_view_is_averaged_as_its_copy() -> None:
    image = np.random.default_rng(1).integers(0, 256, (45, 75, 3)).astype(np.uint8)
    average = area_average((45, 45), (9, 15))
    assert average is not None
    view = image[:, 15:60]
    assert (average.shrink(view, 9, 15) == average.shrink(view.copy(), 9, 15)).all()
