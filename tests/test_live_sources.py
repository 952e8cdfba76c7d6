"""LiveSource over cameras that fail in every way, built rather than patched."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from device_fixtures import red_or_blue_segmenter
from edge_seg.errors import ImageError, SourceError
from edge_seg.pipeline import run_pipeline
from edge_seg.sources import Frame, SourceOptions, WaitingSource
from edge_seg.sources.capture import Grabbed
from edge_seg.sources.live import LiveSource, back_off_s, open_live

Script = Sequence[object]
"""What a capture does, one after the other: an int is a picture, an error is raised, an Event is waited for."""


@dataclass
class FakeCapture:
    script: Iterator[object]
    pause_s: float
    fps: float | None = 25.0
    closed: threading.Event = field(default_factory=threading.Event)

    def grab(self) -> Grabbed:
        time.sleep(self.pause_s)
        step = next(self.script, None)
        if isinstance(step, threading.Event):
            step.wait(20)
            raise SourceError("cam: woke up too late")
        if isinstance(step, Exception):
            raise step
        if step is None:
            raise SourceError("cam: the stream ended")
        return Grabbed(lambda: picture(step), time.monotonic())

    def close(self) -> None:
        self.closed.set()


def picture(step: object) -> np.ndarray:
    if step == "damaged":
        raise ImageError("half a JPEG")
    assert isinstance(step, int)
    return np.full((16, 16, 3), step % 256, np.uint8)


class FakeCamera:
    """Each opening takes the next script; an error among them is raised, and the last is repeated."""

    name, label, longest_silence_s = "cam", "cam", 0.4

    def __init__(self, *openings: Script | Exception | threading.Event, pause_s: float = 0.005) -> None:
        self.openings = list(openings)
        self.captures: list[FakeCapture] = []
        self.opened = 0
        self._pause_s = pause_s

    def open(self) -> FakeCapture:
        opening = self.openings[min(self.opened, len(self.openings) - 1)]
        self.opened += 1
        if isinstance(opening, threading.Event):
            opening.wait(20)
            raise SourceError("cam: opened too late")
        if isinstance(opening, Exception):
            raise opening
        self.captures.append(FakeCapture(iter(opening), self._pause_s))
        return self.captures[-1]


def live(camera: FakeCamera, said: list[str] | None = None, **options: object) -> LiveSource:
    return open_live(camera, SourceOptions(**options), (said if said is not None else []).append)  # type: ignore[arg-type]


def first(source: LiveSource, count: int, each: Callable[[Frame], None] = lambda _: None) -> list[Frame]:
    frames: list[Frame] = []
    for frame in source:
        each(frame)
        frames.append(frame)
        if len(frames) == count:
            source.close()
    return frames


def test_a_late_reader_gets_the_newest_frame_and_sees_what_it_missed_by_the_index() -> None:
    source = live(FakeCamera(range(1000)))
    frames = first(source, 5, lambda _: time.sleep(0.1))
    steps = np.diff([frame.index for frame in frames])
    assert steps.min() > 5
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [frame.index for frame in frames]
    assert all(frame.name == f"cam_{frame.index:06d}" for frame in frames)
    assert abs(frames[-1].captured_at - time.time()) < 5
    assert source.fps == 25


def test_a_failed_camera_is_opened_again_and_it_is_said() -> None:
    said: list[str] = []
    camera = FakeCamera([1, 2, 3], SourceError("cam: refused"), range(100, 400))
    frames = first(live(camera, said), 40)
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert max(int(frame.image[0, 0, 0]) for frame in frames) >= 100
    assert camera.opened == 3
    assert [capture.closed.wait(2) for capture in camera.captures] == [True, True]
    ended, refused, again = said
    assert ended.startswith("cam: the stream ended; trying again in 0.")
    assert refused.startswith("cam: refused; trying again in ")
    assert again.startswith("cam: frames again after 1.")


@pytest.mark.parametrize(("retries", "openings"), [(0, 1), (2, 3)])
def test_retries_are_counted_in_a_row(retries: int, openings: int) -> None:
    camera = FakeCamera(SourceError("cam: refused"))
    with pytest.raises(SourceError, match=r"^cam: refused" + ("; gave up after 3 attempts$" if retries else "$")):
        list(live(camera, retries=retries))
    assert camera.opened == openings


def test_without_a_number_the_first_opening_must_work() -> None:
    with pytest.raises(SourceError, match=r"^cam: refused$"):
        live(FakeCamera(SourceError("cam: refused")))


def test_a_failure_that_goes_on_is_not_said_every_time() -> None:
    said: list[str] = []
    source = LiveSource(FakeCamera([1]), SourceOptions(), said.append)
    for failures in range(1, 40):
        source._failures = failures
        source._tell("cam: refused", 30)
    assert len(said) == 6  # 1, 2, 4, 8, 16, 32
    source._tell("cam: no frame", 30)
    assert len(said) == 7
    source.close()


def test_a_camera_that_hangs_is_left_behind_and_opened_anew() -> None:
    said: list[str] = []
    never = threading.Event()
    camera = FakeCamera([1, never], range(10, 90))
    started = time.monotonic()
    frames = first(live(camera, said), 10)
    assert int(frames[-1].image[0, 0, 0]) >= 10
    assert "cam: no frame for 0.4 s" in said[0]
    assert time.monotonic() - started < 5
    assert not camera.captures[0].closed.is_set()
    never.set()
    assert camera.captures[0].closed.wait(2)  # its own thread lets go of it


@pytest.mark.parametrize("camera", [FakeCamera(threading.Event()), FakeCamera([1, threading.Event()])])
def test_closing_from_another_thread_ends_the_iteration_at_once(camera: FakeCamera) -> None:
    camera.longest_silence_s = 30  # type: ignore[misc]
    source = LiveSource(camera, SourceOptions(), print)
    closing = threading.Timer(0.3, source.close)
    closing.start()
    started = time.monotonic()
    list(source)
    assert time.monotonic() - started < 2
    closing.join()
    assert time.monotonic() - started < 2


def test_closing_ends_the_wait_before_the_next_attempt() -> None:
    source = live(FakeCamera([1], SourceError("cam: refused")))
    started = time.monotonic()
    threading.Timer(2.5, source.close).start()  # by then it waits for 2 s and more
    list(source)
    assert 2.4 < time.monotonic() - started < 3.5


@pytest.mark.timeout(20)
def test_a_run_ends_at_once_while_its_source_is_silent() -> None:
    camera = FakeCamera([1, threading.Event()])
    camera.longest_silence_s = 60  # type: ignore[misc]
    source = live(camera)
    assert isinstance(source, WaitingSource)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    started = time.monotonic()
    summary = run_pipeline(source, red_or_blue_segmenter(), [], stop=stop)
    assert summary.frames == 1
    assert time.monotonic() - started < 3


def test_the_age_of_a_frame_is_counted_from_its_capture() -> None:
    ages: list[float] = []
    run_pipeline(
        live(FakeCamera(range(1000))),
        red_or_blue_segmenter(),
        [],
        observers=[lambda result: ages.append(result.age_ms)],
        max_frames=5,
    )
    assert all(0 < age < 2000 for age in ages)


def test_damaged_pictures_are_left_out_and_nothing_but_damaged_ones_is_a_failure() -> None:
    said: list[str] = []
    camera = FakeCamera([1, "damaged", 2, *["damaged"] * 300], range(10, 90))
    frames = first(live(camera, said), 20)
    assert int(frames[-1].image[0, 0, 0]) >= 10
    assert said[0].startswith("cam: sends only damaged pictures (half a JPEG); trying again")
    assert len(said) == 2


def test_a_frozen_camera_is_opened_again_once_and_then_only_reported() -> None:
    said: list[str] = []
    camera = FakeCamera([1] * 10_000, pause_s=0.01)
    first(live(camera, said, frozen_after_s=0.6), 450)
    assert camera.opened == 2
    frozen, again, still = said
    assert frozen.startswith("cam: the picture is frozen")
    assert again.startswith("cam: frames again")
    assert still.startswith("cam: still the same picture after opening it again")


def test_the_check_for_frozen_pictures_can_be_turned_off() -> None:
    said: list[str] = []
    camera = FakeCamera([1] * 10_000)
    first(live(camera, said, frozen_after_s=0.0), 250)
    assert (camera.opened, said) == (1, [])


def test_the_wait_doubles_up_to_half_a_minute_and_is_spread() -> None:
    assert [back_off_s(failures, 0.5) for failures in (1, 2, 3, 7, 1000)] == [0.5, 1, 2, 30, 30]
    assert (back_off_s(7, 0.0), back_off_s(7, 1.0)) == (22.5, 37.5)
