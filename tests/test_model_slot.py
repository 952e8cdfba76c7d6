"""A model exchanged while frames are in flight: none lost, none mixed, and the one before takes over when it fails."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from device_fixtures import FakeEngine, frame, half_red_half_blue, spec
from edge_seg.errors import ModelError
from edge_seg.model_slot import ModelSlot
from edge_seg.pipeline import run_pipeline
from edge_seg.result import Result
from edge_seg.segmenter import Segmentation, Segmenter
from edge_seg.smoothing import open_smoother
from edge_seg.sources import Frame

FRAMES = 60


def segmenter(name: str, size: int, channels: tuple[int, int], infer: Callable[[], None] = lambda: None) -> Segmenter:
    """A model whose two classes are two channels of the picture; `infer` is called with each image."""

    def answer(image: np.ndarray) -> np.ndarray:
        infer()
        return image[..., list(channels)]

    engine = FakeEngine([spec((1, size, size, 3))], [spec((1, size, size, 2), "float32")], answer)
    return Segmenter(engine, name=name, labels=("left", "right"))


def first() -> Segmenter:
    """Calls red `left` and blue `right`."""
    return segmenter("first", 8, (0, 2))


def second(infer: Callable[[], None] = lambda: None) -> Segmenter:
    """Calls blue `left` and red `right`, at another resolution: an image that `first` prepared does not fit."""
    return segmenter("second", 16, (2, 0), infer)


class FinishFails(Segmenter):
    """Answers what it cannot finish."""

    def finish(self, raw):
        raise ModelError("the class map holds what it may not")


@dataclass
class Source:
    """Calls `at[index]` before it gives a frame."""

    at: dict[int, Callable[[], object]]
    count: int = FRAMES
    name: str = "fake"
    live: bool = False
    fps: float | None = None

    @property
    def frame_count(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            self.at.get(index, lambda: None)()
            yield frame(index)

    def close(self) -> None:
        pass


@dataclass
class Notes:
    """A probation that writes down what it is told."""

    answers: int = 0
    errors: list[str] = field(default_factory=list)

    def answered(self, segmentation: Segmentation) -> None:
        self.answers += 1

    def failed(self, error: Exception) -> None:
        self.errors.append(str(error))


LEFT_IS_RED = first().segment(half_red_half_blue()).class_map
LEFT_IS_BLUE = second().segment(half_red_half_blue()).class_map


def answers(slot: ModelSlot, at: dict[int, Callable[[], object]], **options: object) -> str:
    """Run all frames; return a letter per frame: whose class map it is."""
    results: list[Result] = []
    run_pipeline(Source(at), slot, [], observers=[results.append], **options)  # type: ignore[arg-type]
    assert [result.frame.index for result in results] == list(range(FRAMES))
    return "".join(letter(result.segmentation.class_map) for result in results)


def letter(class_map: np.ndarray) -> str:
    if np.array_equal(class_map, LEFT_IS_RED):
        return "1"
    return "2" if np.array_equal(class_map, LEFT_IS_BLUE) else "?"


def test_an_exchange_between_two_frames_loses_and_mixes_none() -> None:
    changes: list[str] = []
    slot, notes = ModelSlot(first()), Notes()
    slot.on_change = lambda model: changes.append(model.name)
    seen = answers(slot, {20: lambda: slot.exchange(second(), notes)})
    assert seen == "1" * 20 + "2" * 40
    assert (changes, notes.answers, notes.errors) == (["second"], 40, [])
    assert slot.current.name == "second"


def test_exchanges_from_another_thread_at_any_moment_lose_and_mix_none() -> None:
    models, stop = (first(), second()), threading.Event()
    slot = ModelSlot(models[0])

    def exchange() -> None:
        turn = 0
        while not stop.wait(0.0005):
            turn += 1
            slot.exchange(models[turn % 2], Notes())
            slot.keep()

    thread = threading.Thread(target=exchange)
    thread.start()
    seen = answers(slot, {index: lambda: stop.wait(0.002) for index in range(FRAMES)})
    stop.set()
    thread.join()
    assert set(seen) == {"1", "2"}


def test_on_demand_the_model_before_runs_again() -> None:
    changes: list[str] = []
    slot = ModelSlot(first())
    slot.on_change = lambda model: changes.append(model.name)
    seen = answers(slot, {20: lambda: slot.exchange(second(), Notes()), 40: slot.roll_back})
    assert seen == "1" * 20 + "2" * 20 + "1" * 20
    assert changes == ["second", "first"]
    assert not slot.keep()
    assert not slot.roll_back()


def fails_after(images: int) -> Callable[[], None]:
    """Return what raises from the image after so many on."""
    left = iter(range(images))

    def infer() -> None:
        if next(left, None) is None:
            raise RuntimeError("Node number 3 failed to invoke")

    return infer


@pytest.mark.parametrize("images", [0, 1, 15])
def test_when_the_new_model_fails_the_one_before_answers_that_image_and_all_that_follow(images: int) -> None:
    slot, notes = ModelSlot(first()), Notes()
    seen = answers(slot, {20: lambda: slot.exchange(second(fails_after(images)), notes)})
    assert seen == "1" * 20 + "2" * images + "1" * (40 - images)
    assert notes.errors == ["Node number 3 failed to invoke"]
    assert slot.current.name == "first"
    assert not slot.keep()


def test_an_answer_that_cannot_be_finished_is_given_by_the_model_before() -> None:
    slot, notes = ModelSlot(first()), Notes()
    engine = FakeEngine([spec((1, 16, 16, 3))], [spec((1, 16, 16, 2), "float32")], lambda image: image[..., [2, 0]])
    bad = FinishFails(engine, labels=("left", "right"))
    assert answers(slot, {20: lambda: slot.exchange(bad, notes)}) == "1" * FRAMES
    assert notes.errors == ["the class map holds what it may not"]


@pytest.mark.parametrize("how", ["alone", "kept", "watched"])
def test_a_model_with_none_standing_by_ends_the_run_when_it_fails(how: str) -> None:
    bad, notes = second(fails_after(0)), Notes()
    slot = ModelSlot(first() if how == "kept" else bad)
    if how == "kept":
        slot.exchange(bad, notes)
        assert slot.keep()
    elif how == "watched":
        slot.watch(notes)
    with pytest.raises(RuntimeError, match="failed to invoke"):
        run_pipeline(Source({}), slot, [])
    assert len(notes.errors) == (how == "watched")


def test_a_first_model_is_watched_alone() -> None:
    slot, notes = ModelSlot(first()), Notes()
    slot.watch(notes)
    assert answers(slot, {30: slot.keep}) == "1" * FRAMES
    assert 20 < notes.answers <= 30


def test_the_model_before_is_freed_once_the_new_one_is_kept_and_has_answered() -> None:
    slot, freed = ModelSlot(first()), threading.Event()
    weakref.finalize(slot.current, freed.set)

    def exchange() -> None:
        slot.exchange(second(), Notes())
        slot.keep()

    gone: list[bool] = []

    def look() -> None:
        gc.collect()
        gone.append(freed.is_set())

    answers(slot, {10: exchange, 50: look})
    assert gone == [True]


def test_averages_over_time_begin_anew_with_the_new_model() -> None:
    slot = ModelSlot(first())
    smooth = open_smoother(slot.current, 1000.0, lambda item: item.index / 10).smooth
    seen = answers(slot, {20: lambda: slot.exchange(second(), Notes())}, smooth=smooth)
    assert seen == "1" * 20 + "2" * 40


def test_averages_of_one_size_begin_anew_with_the_new_model_too() -> None:
    """Of the same layout, the scores would go together: what tells them apart is the model."""
    slot = ModelSlot(first())
    smooth = open_smoother(slot.current, 1000.0, lambda item: item.index / 10).smooth
    other = segmenter("other", 8, (2, 0))
    expected = other.segment(half_red_half_blue()).class_map
    results: list[Result] = []
    source = Source({20: lambda: slot.exchange(other, Notes())})
    run_pipeline(source, slot, [], observers=[results.append], smooth=smooth)
    assert [np.array_equal(result.segmentation.class_map, expected) for result in results] == [False] * 20 + [True] * 40
