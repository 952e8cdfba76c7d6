"""A watched folder: files that grow slowly, come by renaming, vanish, or never become pictures."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from device_fixtures import red_or_blue_segmenter
from edge_seg.errors import SourceError
from edge_seg.pipeline import run_pipeline
from edge_seg.sources import Frame, Source, SourceOptions, open_source


def write_picture(path: Path, red: int = 200) -> Path:
    Image.new("RGB", (12, 8), (red, 10, 30)).save(path)
    return path


class Watching:
    """Collects what a watched folder gives, on a thread."""

    def __init__(self, folder: Path) -> None:
        self.frames: list[Frame] = []
        self.bad: list[SourceError] = []
        self.said: list[str] = []
        self.source: Source = open_source(
            str(folder), SourceOptions(watch=True), on_bad_image=self.bad.append, report=self.said.append
        )
        self._thread = threading.Thread(target=lambda: self.frames.extend(self.source), daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        return [frame.name for frame in self.frames]

    def wait_for(self, count: int) -> list[str]:
        deadline = time.monotonic() + 10
        while len(self.frames) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.names

    def close(self) -> None:
        self.source.close()
        self._thread.join(5)
        assert not self._thread.is_alive()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def watching(folder: Path) -> Iterator[Watching]:
    for name in ("b.png", "a.png", ".hidden.png"):
        write_picture(folder / name)
    (folder / "notes.txt").write_text("no image")
    watching = Watching(folder)
    yield watching
    watching.close()


def test_what_is_there_comes_first_and_then_what_is_new_each_once(folder: Path, watching: Watching) -> None:
    assert sorted(watching.wait_for(2)) == ["a.png", "b.png"]
    write_picture(folder / "0.png", 90)
    assert watching.wait_for(3)[2] == "0.png"
    write_picture(folder / "c.png")
    assert watching.wait_for(4)[3] == "c.png"
    time.sleep(1.5)
    assert [frame.index for frame in watching.frames] == [0, 1, 2, 3]
    assert watching.frames[2].image[0, 0].tolist() == [90, 10, 30]
    assert abs(watching.frames[2].captured_at - (folder / "0.png").stat().st_mtime) < 1e-3
    assert (watching.source.live, watching.source.frame_count) == (False, None)


def test_a_slow_writer_is_waited_for_even_when_it_pauses(folder: Path, watching: Watching) -> None:
    watching.wait_for(2)
    Image.effect_noise((600, 400), 60).convert("RGB").save(folder / ".whole.png")
    data = (folder / ".whole.png").read_bytes()
    with (folder / "slow.png").open("wb", buffering=0) as file:
        for start in range(0, len(data), len(data) // 4 + 1):
            file.write(data[start : start + len(data) // 4 + 1])
            assert "slow.png" not in watching.names
            time.sleep(0.6 if start else 2.5)  # the pause is long enough to look like the end
    assert watching.wait_for(3)[2] == "slow.png"
    assert watching.frames[2].image.shape == (400, 600, 3)
    assert watching.bad == []


def test_a_renamed_and_a_deleted_and_a_made_anew_file(folder: Path, watching: Watching) -> None:
    watching.wait_for(2)
    write_picture(folder / ".part.png").rename(folder / "renamed.png")
    assert watching.wait_for(3)[2] == "renamed.png"
    (folder / "renamed.png").unlink()
    time.sleep(1.2)
    write_picture(folder / "renamed.png", 70)
    assert watching.wait_for(4)[3] == "renamed.png"
    write_picture(folder / "short.png")
    (folder / "short.png").unlink()
    time.sleep(1.5)
    assert len(watching.names) == 4
    assert watching.bad == []


def test_a_file_that_never_becomes_a_picture_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, watching: Watching
) -> None:
    monkeypatch.setattr("edge_seg.sources.watch._GIVEN_UP_AFTER_S", 1.5)
    watching.wait_for(2)
    (folder / "bad.png").write_bytes((folder / "a.png").read_bytes()[:40])
    write_picture(folder / "good.png")
    assert watching.wait_for(3)[2] == "good.png"
    deadline = time.monotonic() + 6
    while not watching.bad and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)
    assert ["bad.png" in str(error) for error in watching.bad] == [True]


def test_what_is_no_regular_file_is_left_out(folder: Path, watching: Watching) -> None:
    watching.wait_for(2)
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    write_picture(folder / "z.png")
    assert watching.wait_for(3)[2] == "z.png"
    assert watching.bad == []


def test_a_folder_that_vanishes_is_waited_for(folder: Path, watching: Watching) -> None:
    watching.wait_for(2)
    shutil.move(folder, folder.parent / "away")
    time.sleep(1.2)
    shutil.move(folder.parent / "away", folder)
    write_picture(folder / "later.png")
    assert watching.wait_for(3)[2] == "later.png"
    assert ["cannot be read" in sentence for sentence in watching.said] == [True, False]
    assert watching.said[1].endswith("can be read again")


def test_only_folders_are_watched(folder: Path) -> None:
    with pytest.raises(SourceError, match="only folders can be watched"):
        open_source(str(write_picture(folder / "a.png")), SourceOptions(watch=True))


@pytest.mark.timeout(20)
def test_a_run_that_waits_for_a_picture_ends_when_asked(folder: Path) -> None:
    write_picture(folder / "a.png")
    stop = threading.Event()
    threading.Timer(2.5, stop.set).start()
    started = time.monotonic()
    summary = run_pipeline(open_source(str(folder), SourceOptions(watch=True)), red_or_blue_segmenter(), [], stop=stop)
    assert summary.frames == 1
    assert time.monotonic() - started < 5
