"""Scores averaged over time: identity on a constant scene, time-aware, at once anew where the picture changed."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from device_fixtures import FakeEngine, frame, half_red_half_blue, red_or_blue_segmenter, spec
from edge_seg.errors import ModelError
from edge_seg.pipeline import run_pipeline
from edge_seg.segmenter import Segmenter
from edge_seg.smoothing import motion, open_smoother
from edge_seg.sources import Frame
from edge_seg.sources.media_time import frame_clock

GREY = np.full((64, 64, 3), 120, np.uint8)


@dataclass
class Model:
    """A model of 16×16 pixels that answers what it is told, whatever it sees."""

    dtype: str = "float32"
    channels: int = 2
    channels_first: bool = False
    answer: float = 0.0
    segmenter: Segmenter = field(init=False)

    def __post_init__(self) -> None:
        self._shape = (1, self.channels, 16, 16) if self.channels_first else (1, 16, 16, self.channels)
        scale, zero_point = (0.0, 0) if self.dtype == "float32" else (1 / 256, -128 if self.dtype == "int8" else 0)
        pixels = (1, 3, 16, 16) if self.channels_first else (1, 16, 16, 3)
        engine = FakeEngine([spec(pixels)], [spec(self._shape, self.dtype, scale, zero_point)], self._answer)
        self.segmenter = Segmenter(engine, labels=("none", "thing", "other")[: max(self.channels, 2)])

    def _answer(self, _: np.ndarray) -> np.ndarray:
        return np.full(self._shape, self.answer)

    def raw(self, answer: float, image: np.ndarray = GREY):
        self.answer = answer
        return self.segmenter.infer(self.segmenter.prepare(image))


def at(seconds: float, image: np.ndarray = GREY) -> Frame:
    return Frame(image, 0, 0.0, "f", seconds)


def taken(item: Frame) -> float:
    return item.captured_monotonic_s


KINDS = [
    Model("float32"), Model("int8"), Model("uint8"), Model("int8", 1), Model("float32", 1), Model("int8", 3, True),
]  # fmt: skip


@pytest.mark.parametrize("model", KINDS, ids=lambda model: f"{model.dtype}-{model.channels}")
def test_a_constant_scene_stays_as_it_is(model: Model) -> None:
    smoother, raw = open_smoother(model.segmenter, 0.5, taken), model.raw(0.3 if model.dtype == "float32" else 37)
    for step in range(40):
        smoothed = smoother.smooth(at(step / 7), raw)
        assert smoothed.tensor.dtype == raw.tensor.dtype
        assert np.array_equal(smoothed.tensor, raw.tensor)


@pytest.mark.parametrize("model", KINDS, ids=lambda model: f"{model.dtype}-{model.channels}")
@pytest.mark.parametrize("frames", [1, 4, 20])
def test_after_a_time_constant_two_thirds_are_new_however_many_frames_came(model: Model, frames: int) -> None:
    low, high = (0.0, 1.0) if model.dtype == "float32" else (20, 120)
    smoother = open_smoother(model.segmenter, 0.5, taken)
    smoothed = smoother.smooth(at(0), model.raw(low))
    for step in range(1, frames + 1):
        smoothed = smoother.smooth(at(0.5 * step / frames), model.raw(high))
    expected = low + (high - low) * (1 - np.exp(-1))
    assert smoothed.tensor.astype(float) == pytest.approx(expected, abs=0.51 if model.dtype != "float32" else 1e-5)


def test_int8_does_not_stick_short_of_its_end() -> None:
    model = Model("int8")
    smoother = open_smoother(model.segmenter, 1.0, taken)
    smoother.smooth(at(0), model.raw(10))
    for step in range(1, 800):
        smoothed = smoother.smooth(at(step / 100), model.raw(13))  # each step moves it by less than a half
    assert np.all(smoothed.tensor == 13)


def another_scene() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, GREY.shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("seconds", "image"),
    [(0.1, another_scene()), (60.0, GREY), (-5.0, GREY), (0.1, np.full((48, 64, 3), 120, np.uint8))],
    ids=["a cut", "a gap", "a clock that goes back", "another size"],
)
def test_it_starts_anew_after(seconds: float, image: np.ndarray) -> None:
    model = Model()
    smoother = open_smoother(model.segmenter, 0.5, taken)
    smoother.smooth(at(0), model.raw(0.0))
    assert np.all(smoother.smooth(at(seconds, image), model.raw(1.0, image)).tensor == 1.0)


def test_only_what_stands_still_is_averaged() -> None:
    model, moved = Model(), GREY.copy()
    moved[:, :16] = 250  # a quarter
    smoother = open_smoother(model.segmenter, 0.5, taken)
    smoother.smooth(at(0), model.raw(0.0))
    smoothed = smoother.smooth(at(0.1, moved), model.raw(1.0)).tensor[0, :, :, 0]
    assert np.all(smoothed[:, :3] == 1.0)
    assert smoothed[:, 9:] == pytest.approx(1 - np.exp(-0.2))


def test_noise_is_no_motion_and_an_object_of_any_colour_is() -> None:
    random = np.random.default_rng(1)
    noisy = np.clip(GREY + random.normal(0, 2, GREY.shape), 0, 255).astype(np.uint8)
    assert motion(GREY, noisy).max() < 0.2
    red, blue = (np.full((8, 8, 3), colour, np.uint8) for colour in ((200, 60, 60), (60, 60, 200)))
    assert motion(red, blue).min() == 1


def test_what_was_handed_out_stays_as_it_was() -> None:
    model = Model()
    smoother = open_smoother(model.segmenter, 0.5, taken)
    smoother.smooth(at(0), model.raw(0.0))
    first = smoother.smooth(at(0.1), model.raw(1.0))
    kept = first.tensor.copy()
    smoother.smooth(at(0.2), model.raw(1.0))
    assert np.array_equal(first.tensor, kept)


def test_class_ids_are_refused_with_the_cure() -> None:
    ids = FakeEngine([spec((1, 8, 8, 3))], [spec((1, 8, 8, 1), "uint8")], lambda image: image[..., 0] // 255)
    with pytest.raises(ModelError, match="edge-seg convert"):
        open_smoother(Segmenter(ids, name="ids", labels=("a", "b")), 0.5, taken)


@dataclass
class Blinking:
    """A source of one still picture whose second half changes colour slightly every frame, at 10 a second."""

    count: int = 12
    live: bool = False
    fps: float | None = 10.0
    name: str = "blinking"
    frame_count: int | None = None

    def __iter__(self):
        for index in range(self.count):
            image = np.full((32, 32, 3), 100, np.uint8)
            image[:, 16:, 0 if index % 2 else 2] = 103  # red and blue take turns, by a hair
            yield frame(index, image=image)

    def close(self) -> None:
        pass


def test_the_pipeline_smooths_by_the_time_of_the_video_not_of_the_machine() -> None:
    def classes_seen(time_constant_s: float | None) -> list[int]:
        segmenter, source = red_or_blue_segmenter(), Blinking()
        smooth = time_constant_s and open_smoother(segmenter, time_constant_s, frame_clock(source)).smooth
        seen: list[int] = []
        observe = [lambda result: seen.append(int(result.segmentation.class_map[0, -1]))]
        run_pipeline(source, segmenter, [], observers=observe, smooth=smooth or None)
        return seen

    assert classes_seen(None) == [1, 0] * 6
    assert classes_seen(2.0) == [1] * 12
    assert classes_seen(0.001) == [1, 0] * 6


def test_the_clock_of_a_camera_is_the_capture_and_of_a_video_its_frames() -> None:
    second = Frame(half_red_half_blue(), 7, 0.0, "f", 123.0)
    assert frame_clock(Blinking())(second) == pytest.approx(0.7)
    assert frame_clock(Blinking(live=True))(second) == 123.0
    assert frame_clock(Blinking(fps=None))(second) == 123.0
    assert frame_clock(Blinking(fps=0.0))(second) == 123.0
