"""Sinks that fail, hang and come back while the camera goes on."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device_fixtures import red_or_blue_segmenter
from edge_seg.errors import SinkError
from edge_seg.pipeline import run_pipeline
from edge_seg.result import Result
from edge_seg.sinks import Sink, open_sink
from edge_seg.sinks.recovering import RecoveringSink
from sink_fixtures import CLASSES, levels, live, seen
from test_pipeline import FakeSink, FakeSource


@dataclass
class Disk:
    """Opens sinks that fail as long as it is broken, and block as long as it hangs."""

    broken: bool = False
    answers: threading.Event = field(default_factory=threading.Event)
    written: list[int] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    needs_main_thread: bool = False

    def __post_init__(self) -> None:
        self.answers.set()

    def open(self) -> Sink:
        self.opened += 1
        return self

    def write(self, result: Result) -> None:
        self.answers.wait(20)
        if self.broken:
            raise SinkError("the disk is full")
        self.written.append(result.frame.index)

    def close(self) -> None:
        self.closed += 1


def eventually(holds: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.005)


def write_until(sink: Sink, holds: Callable[[], bool]) -> int:
    index = 0

    def step() -> bool:
        nonlocal index
        sink.write(seen(index))
        index += 1
        return holds()

    eventually(step)
    return index


def test_a_failure_is_said_once_and_so_is_the_return_and_what_was_lost() -> None:
    disk, said = Disk(), []
    sink = RecoveringSink("o.mp4", disk.open, said.append, retry_s=0.02)
    write_until(sink, lambda: len(disk.written) > 3)
    disk.broken = True
    write_until(sink, lambda: disk.opened > 3)
    disk.broken = False
    write_until(sink, lambda: len(said) > 1)
    sink.close()
    assert len(said) == 2 + ("too slow" in said[-1])
    assert said[0] == "the disk is full (the camera goes on; this output is tried again)"
    assert "o.mp4: is written again; " in said[1]
    assert int(said[1].split(";")[1].split()[0]) > 2
    assert disk.closed == disk.opened


def test_a_failure_is_not_retried_all_the_time() -> None:
    disk, failed = Disk(broken=True), []
    sink = RecoveringSink(
        "o.mp4", disk.open, lambda _: None, retry_s=0.05, on_failure=lambda *fault: failed.append(fault)
    )
    for index in range(100):
        sink.write(seen(index))
        time.sleep(0.002)
    sink.close()
    assert 2 <= disk.opened <= 5
    assert failed == [("o.mp4", "the disk is full")] * disk.opened


def test_what_cannot_be_opened_at_the_start_is_an_error() -> None:
    def refuse() -> Sink:
        raise SinkError("no such folder")

    with pytest.raises(SinkError, match="no such folder"):
        RecoveringSink("o.mp4", refuse, lambda _: None)


def test_a_defect_of_a_sink_is_not_hidden() -> None:
    class Defect(Disk):
        def write(self, result: Result) -> None:
            raise ZeroDivisionError

    sink = RecoveringSink("o.mp4", Defect().open, lambda _: None)
    with pytest.raises(ZeroDivisionError):
        write_until(sink, lambda: False)


def test_of_a_file_nothing_is_left_out() -> None:
    disk = Disk()
    sink = RecoveringSink("o.mp4", disk.open, lambda _: None, live=False)
    for index in range(200):
        sink.write(seen(index))
    sink.close()
    assert disk.written == list(range(200))


@pytest.mark.timeout(20)
def test_a_hanging_sink_neither_stalls_the_camera_nor_its_end() -> None:
    disk, other, said = Disk(), FakeSink(), []
    disk.answers.clear()
    hanging = RecoveringSink("nfs/o.mp4", disk.open, said.append)
    began_s = time.monotonic()
    summary = run_pipeline(FakeSource(100, live=True, pause_s=0.005), red_or_blue_segmenter(), [hanging, other])
    took_s = time.monotonic() - began_s
    disk.answers.set()
    assert summary.frames > 50
    assert len(other.seen) > 50
    assert took_s < 0.5 + 1.5 + 2
    assert said == ["nfs/o.mp4: did not finish within 1.5 s and is left as it is"]


@pytest.mark.parametrize("uri", ["o.mp4", "o.mkv", "e.jsonl", "s.csv", "overlays/", "masks/", "coco.json", "via.json"])
def test_every_output_survives_a_full_disk_and_goes_on_afterwards(small_disk: Path, uri: str) -> None:
    said: list[str] = []
    options = live(overlays=True)
    sink = RecoveringSink(uri, lambda: open_sink(f"{small_disk}/{uri}", CLASSES, options), said.append, retry_s=0.05)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(24_000))
    index = 0

    def write_until_said(count: int) -> None:
        nonlocal index

        def step() -> bool:
            nonlocal index
            sink.write(seen(index, size=(96, 128)))
            index += 1
            return len(said) >= count

        eventually(step)

    write_until_said(1)
    assert "the disk is full" in said[0]
    filler.unlink()
    for path in [*small_disk.rglob("*.jpg"), *small_disk.rglob("*.png")][:4]:
        path.unlink()
    write_until_said(2)
    assert f"{uri}: is written again" in said[1]
    sink.close()
    check_readable(small_disk)


def check_readable(folder: Path) -> None:
    assert not [path for path in folder.rglob("*") if "part" in path.name]
    for path in folder.rglob("*"):
        match path.suffix:
            case ".mp4" | ".mkv":
                assert levels(path)
            case ".jsonl":
                assert [json.loads(line) for line in path.read_text().splitlines()]
            case ".json":
                json.loads(path.read_text())
            case _:
                pass


def test_a_folder_that_goes_away_is_made_again_when_it_can_be(tmp_path: Path) -> None:
    said: list[str] = []
    usb = tmp_path / "usb"
    uri = f"masks:{usb}/masks"
    sink = RecoveringSink(uri, lambda: open_sink(uri, CLASSES, live()), said.append, retry_s=0.02)
    write_until(sink, (usb / "masks").exists)
    usb.rename(tmp_path / "unplugged")
    usb.write_text("a file in its place")
    write_until(sink, lambda: len(said) > 0)
    assert "cannot be written" in said[0]
    usb.unlink()
    write_until(sink, lambda: len(said) > 1)
    sink.close()
    assert list((usb / "masks").rglob("*.png"))
