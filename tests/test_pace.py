"""Fewer frames than there are: chosen before they are decoded, at a rate, and never longer than asked."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from device_fixtures import frame, half_red_half_blue, write_video
from edge_seg.images import write_image
from edge_seg.sources import Frame, open_source
from edge_seg.sources.pace import PacedSource, RateLimit, paced


@dataclass
class FakeClock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeCamera:
    """Frames a fixed time apart on a fake clock."""

    clock: FakeClock
    count: int = 300
    interval_s: float = 1 / 30
    live: bool = True
    name: str = "fake"
    frame_count: int | None = None
    fps: float | None = 30.0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            self.clock.now += self.interval_s
            yield frame(index)

    def close(self) -> None:
        self.count = 0


@pytest.mark.parametrize(("max_fps", "expected"), [(30, 300), (15, 150), (10, 100), (7, 70), (1, 10), (0.2, 2)])
def test_a_camera_of_30_frames_a_second_gives_as_many_as_asked(max_fps: float, expected: int) -> None:
    clock = FakeClock()
    given = list(PacedSource(FakeCamera(clock), max_fps=max_fps, clock=clock))
    assert len(given) == pytest.approx(expected, abs=1)


def test_a_pause_is_not_made_up_for() -> None:
    clock = FakeClock()
    limit = RateLimit(10, clock)
    limit.take()
    clock.now += 5
    limit.take()
    assert limit.remaining_s() == pytest.approx(0.1)


def test_each_third_frame_of_a_video(tmp_path: Path) -> None:
    video = open_source(str(write_video(tmp_path / "v.mp4", 20)))
    source = PacedSource(video, every=3)
    assert source.frame_count == 7
    assert source.fps == pytest.approx(20 / 3)
    frames = list(source)
    source.close()
    assert [item.index for item in frames] == [0, 3, 6, 9, 12, 15, 18]
    assert [item.name for item in frames][:2] == ["v_000000", "v_000003"]
    whole = open_source(str(tmp_path / "v.mp4"))
    assert all((a.image == b.image).all() for a, b in zip(frames, list(whole)[::3], strict=True))
    whole.close()


def test_files_that_are_not_wanted_are_not_read(tmp_path: Path) -> None:
    for index in range(6):
        write_image(tmp_path / f"{index}.png", half_red_half_blue())
    (tmp_path / "3.png").write_bytes(b"damaged")
    source = PacedSource(open_source(str(tmp_path)), every=2)
    assert [item.name for item in source] == ["0.png", "2.png", "4.png"]


def test_a_file_loses_no_frame_to_the_rate_and_takes_its_time(tmp_path: Path) -> None:
    source = PacedSource(open_source(str(write_video(tmp_path / "v.mp4", 5))), max_fps=50)
    started = time.monotonic()
    assert len(list(source)) == 5
    assert time.monotonic() - started >= 4 / 50
    source.close()


def test_stop_ends_the_wait_at_once(tmp_path: Path) -> None:
    stop = threading.Event()
    source = PacedSource(open_source(str(write_video(tmp_path / "v.mp4", 5))), max_fps=0.01, stop=stop)
    frames = iter(source)
    assert next(frames).index == 0
    threading.Timer(0.1, stop.set).start()
    started = time.monotonic()
    assert list(frames) == []
    assert time.monotonic() - started < 20  # the rate would make it 100
    source.close()


def test_who_wants_every_frame_gets_the_source_itself() -> None:
    source = FakeCamera(FakeClock())
    assert paced(source, every=1, max_fps=None, stop=threading.Event()) is source
    assert np.array_equal(
        [item.index for item in paced(source, every=100, max_fps=None, stop=threading.Event())], [0, 100, 200]
    )
