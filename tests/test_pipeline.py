import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from device_fixtures import frame, red_or_blue_segmenter
from edge_seg.errors import SinkError, SourceError
from edge_seg.handoff import Handoff
from edge_seg.pipeline import run_pipeline
from edge_seg.priority import STEPS_BACK, step_back
from edge_seg.result import Result
from edge_seg.sources import Frame


@dataclass
class FakeSource:
    count: int
    live: bool = False
    pause_s: float = 0.0
    error: Exception | None = None
    name: str = "fake"
    fps: float | None = None
    closed: int = 0
    given: int = 0

    @property
    def frame_count(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            time.sleep(self.pause_s)
            self.given += 1
            yield frame(index)
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeSink:
    pause_s: float = 0.0
    fails_at: int | None = None
    needs_main_thread: bool = False
    seen: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    closed: int = 0

    def write(self, result: Result) -> None:
        frame, segmentation = result.frame, result.segmentation
        time.sleep(self.pause_s)
        if len(self.seen) == self.fails_at:
            raise SinkError("disk full")
        assert segmentation.class_map.shape == frame.image.shape[:2]
        self.seen.append(frame.index)
        self.threads.add(threading.get_ident())

    def close(self) -> None:
        self.closed += 1


def test_files_reach_every_sink_whole_and_in_order_however_slow_it_is() -> None:
    source, quick, slow = FakeSource(30), FakeSink(), FakeSink(pause_s=0.005)
    here: list[int] = []
    summary = run_pipeline(
        source,
        red_or_blue_segmenter(),
        [quick, slow],
        on_frame=lambda result: here.append(result.frame.index),
    )
    assert quick.seen == slow.seen == here == list(range(30))
    assert (summary.frames, summary.dropped, summary.dropped_by_sinks) == (30, 0, 0)
    assert (source.closed, quick.closed, slow.closed) == (1, 1, 1)
    assert summary.invoke_ms > 0


def test_a_slow_sink_of_a_live_source_drops_and_is_counted_and_stalls_nothing() -> None:
    source, slow, quick = FakeSource(60, live=True, pause_s=0.005), FakeSink(pause_s=0.1), FakeSink()
    summary = run_pipeline(source, red_or_blue_segmenter(), [slow, quick])
    assert source.given == 60
    assert len(quick.seen) > 4 * len(slow.seen)
    assert summary.dropped_by_sinks >= summary.frames - len(slow.seen) - 4
    assert slow.seen == sorted(slow.seen)
    assert slow.seen[-1] == quick.seen[-1]


def test_frames_the_model_has_no_time_for_are_dropped_and_the_newest_wins() -> None:
    segmenter = red_or_blue_segmenter()
    invoke = segmenter.infer

    class Slow:
        def __getattr__(self, name: str) -> object:
            return getattr(segmenter, name)

        def infer(self, prepared):
            time.sleep(0.05)
            return invoke(prepared)

    sink = FakeSink()
    summary = run_pipeline(FakeSource(40, live=True, pause_s=0.005), Slow(), [sink])  # type: ignore[arg-type]
    assert summary.dropped == 40 - summary.frames
    assert summary.dropped > 20
    assert sink.seen[-1] == 39


def test_a_sink_for_the_main_thread_writes_on_the_callers() -> None:
    window, other = FakeSink(needs_main_thread=True), FakeSink()
    run_pipeline(FakeSource(5), red_or_blue_segmenter(), [window, other])
    assert window.threads == {threading.get_ident()}
    assert threading.get_ident() not in other.threads
    assert window.closed == 1


@pytest.mark.timeout(20)
@pytest.mark.parametrize("live", [False, True])
def test_a_failing_sink_ends_the_run_and_everything_is_closed(live: bool) -> None:
    source, bad, good = FakeSource(2000, live=live, pause_s=0.001), FakeSink(fails_at=3), FakeSink()
    with pytest.raises(SinkError, match="disk full"):
        run_pipeline(source, red_or_blue_segmenter(), [bad, good])
    assert source.given < 2000
    assert (source.closed, bad.closed, good.closed) == (1, 1, 1)


@pytest.mark.timeout(20)
def test_a_failing_source_leaves_what_came_before() -> None:
    sink = FakeSink()
    with pytest.raises(SourceError, match="cable"):
        run_pipeline(FakeSource(7, error=SourceError("cable")), red_or_blue_segmenter(), [sink])
    assert sink.seen == list(range(7))
    assert sink.closed == 1


@pytest.mark.timeout(20)
def test_ctrl_c_is_passed_on_once_everything_is_closed() -> None:
    source, sink = FakeSource(5000, pause_s=0.001), FakeSink()

    def interrupt(result: Result) -> None:
        if result.frame.index == 5:
            time.sleep(0.1)  # every queue is full by now
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pipeline(source, red_or_blue_segmenter(), [sink], on_frame=interrupt)
    assert (source.closed, sink.closed) == (1, 1)
    assert source.given < 5000
    assert sink.seen == list(range(len(sink.seen)))


@pytest.mark.timeout(20)
def test_stop_ends_an_endless_source_and_finishes_what_is_under_way() -> None:
    stop, sink = threading.Event(), FakeSink()

    def on_frame(result: Result) -> None:
        if result.frame.index >= 3:
            stop.set()

    summary = run_pipeline(
        FakeSource(100_000, pause_s=0.001), red_or_blue_segmenter(), [sink], on_frame=on_frame, stop=stop
    )
    assert 4 <= summary.frames < 1000
    assert len(sink.seen) == summary.frames


@pytest.mark.timeout(20)
@pytest.mark.parametrize("live", [False, True])
def test_max_frames_is_exact(live: bool) -> None:
    sink = FakeSink()
    summary = run_pipeline(FakeSource(5000, live=live, pause_s=0.001), red_or_blue_segmenter(), [sink], max_frames=6)
    assert summary.frames == 6
    assert len(sink.seen) == 6 - summary.dropped_by_sinks  # none of a file
    assert live or summary.dropped_by_sinks == 0


def test_a_mailbox_holds_the_newest() -> None:
    mailbox = Handoff[int](1, newest_wins=True)
    for value in range(5):
        mailbox.put(value)
    mailbox.close()
    assert list(mailbox) == [4]
    assert mailbox.dropped == 4


@pytest.mark.timeout(10)
def test_closing_frees_a_waiting_producer() -> None:
    queue = Handoff[int](1)
    queue.put(1)
    producer = threading.Thread(target=queue.put, args=(2,))
    producer.start()
    queue.close(discard=True)
    producer.join(5)
    assert not producer.is_alive()
    assert list(queue) == []


@pytest.mark.skipif(sys.platform != "linux", reason="nice(1) is of threads on Linux alone")
def test_a_thread_steps_back_alone() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def step() -> None:
        step_back()
        seen.append(niceness())

    before, seen = niceness(), list[int]()
    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    assert seen == [min(before + STEPS_BACK, 19)]
    assert niceness() == before
