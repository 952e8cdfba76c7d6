"""Free space: what is removed, what never is, and what is said."""

from collections.abc import Callable
from pathlib import Path
from shutil import disk_usage

import pytest

from edge_seg.cli.sink_options import open_camera_sinks, parse_size
from edge_seg.errors import SinkError
from edge_seg.free_space import FreeSpace
from edge_seg.sinks import Rotation, open_sink
from edge_seg.sinks.disk_guard import DiskFullError, DiskGuard, GuardedSink
from edge_seg.sinks.own_files import own_files
from sink_fixtures import CLASSES, live, seen

# Named almost as this program names its files.
OTHERS = [
    "out.mp4",
    "out_holiday.mp4",
    "out_20251125.mp4",
    "out_20251125T110500Z.mp4.bak",
    "out_20251125T110500Z.mov",
    "myout_20251125T110500Z.mp4",
    "out_20251125T110500Z/notes.mp4",
    "overlays/camera0_20251125T110500.000Z.jpg",
    "overlays/2025-11-25/camera0_20251125T110500.000Z.jpg",
    "overlays/2025-11-25/11/holiday.jpg",
    "overlays/2025-11-25/11/camera0_20251125T120500.000Z.jpg",
    "overlays/2025-11-25/11/camera0_20251125T110500.000Z.txt",
    "overlays/photos/11/camera0_20251125T110500.000Z.jpg",
    "via_20251125T110500Z_frames/holiday.jpg",
    "via_holiday_frames/camera0_20251125T110500.000Z.jpg",
]
OWN = [
    "overlays/2025-11-24/23/camera0_20251124T230000.000Z.jpg",
    "overlays/2025-11-25/11/camera0_20251125T110500.000Z.jpg",
    "out_20251125T110510Z.mp4",
    "via_20251125T110500Z.json",
    "via_20251125T110500Z_frames/camera0_20251125T110500.000Z.jpg",
    "out_20251125T110500Z_2.mp4",
]
NEWEST = [
    "out_20251125T110530Z.mp4",
    "overlays/2025-11-25/12/camera0_20251125T120000.000Z.jpg",
    "via_20251125T110530Z.json",
    "via_20251125T110530Z_frames/camera0_20251125T110530.000Z.jpg",
]


def fill(folder: Path, names: list[str], size_bytes: int = 4096) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(size_bytes))


def held(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def outputs(folder: Path) -> list[Path]:
    return [folder / "out.mp4", folder / "overlays", folder / "via.json"]


def test_only_own_files_are_ever_removed(tmp_path: Path) -> None:
    fill(tmp_path, [*OTHERS, *OWN, *NEWEST])
    guard = DiskGuard(tmp_path, FreeSpace(10**18, "delete-oldest"), outputs(tmp_path))
    with pytest.raises(SinkError, match="no older recording is left"):
        guard.check()
    assert held(tmp_path) == sorted([*OTHERS, *NEWEST])
    assert not (tmp_path / "overlays" / "2025-11-24").exists()


def test_the_oldest_goes_first_and_no_more_than_needed(mount_disk: Callable[[str], Path]) -> None:
    disk = mount_disk("4m")
    names = [f"out_20251125T1105{second:02d}Z.mp4" for second in (10, 20, 30, 40)]
    fill(disk, [*names, "events_20251125T110515Z.jsonl", "events_20251125T110545Z.jsonl", "mine"], 400_000)
    DiskGuard(disk, FreeSpace(2_000_000, "delete-oldest"), [disk / "out.mp4", disk / "events.jsonl"]).check()
    assert held(disk) == sorted([*names[1:], "events_20251125T110545Z.jsonl", "mine"])


def test_a_link_to_a_users_file_is_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, ["mine.mp4", "out_20251125T110530Z.mp4"])
    (tmp_path / "out_20251125T110500Z.mp4").symlink_to(tmp_path / "mine.mp4")
    with pytest.raises(SinkError):
        DiskGuard(tmp_path, FreeSpace(10**18, "delete-oldest"), outputs(tmp_path)).check()
    assert "mine.mp4" in held(tmp_path)


def test_names_with_special_characters_are_taken_literally(tmp_path: Path) -> None:
    fill(tmp_path, ["o[1]_20251125T110500Z.mp4", "o[1]_20251125T110510Z.mp4", "o1_20251125T110500Z.mp4"])
    assert [file.path.name for file in own_files(tmp_path / "o[1].mp4")] == ["o[1]_20251125T110500Z.mp4"]


@pytest.mark.parametrize(("when_full", "error"), [("pause", SinkError), ("stop", DiskFullError)])
def test_without_being_asked_nothing_is_removed(tmp_path: Path, when_full, error) -> None:
    fill(tmp_path, [*OWN, *NEWEST])
    with pytest.raises(error, match=r"MB of its disk are free, fewer than the 1000000 MB to keep \(--keep-free\)"):
        DiskGuard(tmp_path, FreeSpace(10**12, when_full), outputs(tmp_path)).check()
    assert held(tmp_path) == sorted([*OWN, *NEWEST])


def test_the_disk_is_looked_at_now_and_then(mount_disk: Callable[[str], Path]) -> None:
    disk, now = mount_disk("1m"), [0.0]
    guard = DiskGuard(disk / "new" / "out.mp4", FreeSpace(500_000), clock=lambda: now[0])
    guard.check()
    fill(disk, ["filler"], 800_000)
    guard.check()
    now[0] = 6.0
    for _ in range(2):
        with pytest.raises(SinkError):
            guard.check()
    (disk / "filler").unlink()
    guard.check()


def test_a_disk_that_somebody_else_fills_is_looked_at_when_a_write_fails(mount_disk: Callable[[str], Path]) -> None:
    disk = mount_disk("64k")
    guard = DiskGuard(disk, FreeSpace(8_000, "delete-oldest"), [disk / "out.mp4"], clock=lambda: 0.0)
    guard.check()
    fill(disk, ["out_20251125T110500Z.mp4", "out_20251125T110510Z.mp4"], 16_384)
    (disk / "filler").write_bytes(bytes(disk_usage(disk).free))
    sink = GuardedSink(open_sink(str(disk / "e.jsonl"), CLASSES, live()), guard)
    with pytest.raises(SinkError, match="the disk is full"):
        sink.write(seen(0))
    sink.write(seen(1))
    sink.close()
    assert held(disk) == ["e.jsonl", "filler", "out_20251125T110510Z.mp4"]


def test_a_ring_of_recordings_goes_on_for_ever(mount_disk: Callable[[str], Path], capsys) -> None:
    disk = mount_disk("2m")
    (disk / "users.mp4").write_bytes(bytes(100_000))
    rotation = Rotation(size_bytes=60_000)
    guard = DiskGuard(disk, FreeSpace(1_000_000, "delete-oldest"), [disk / "e.jsonl"], clock=lambda: 10.0 * len(times))
    times: list[int] = []
    sink = open_sink(str(disk / "e.jsonl"), CLASSES, live(rotation))
    for index in range(12_000):
        if index % 100 == 0:
            times.append(index)
            guard.check()
        sink.write(seen(index))
    sink.close()
    assert (disk / "users.mp4").exists()
    assert 5 < len(list(disk.glob("e_*.jsonl"))) < 20


def test_stop_ends_the_run_with_the_sentence(mount_disk: Callable[[str], Path]) -> None:
    disk = mount_disk("1m")
    (sink,) = open_camera_sinks([str(disk / "e.jsonl")], CLASSES, live(), FreeSpace(10**9, "stop"))

    def write() -> None:
        for index in range(1000):
            sink.write(seen(index))
        sink.close()

    with pytest.raises(SinkError, match="fewer than the 1000 MB to keep"):
        write()


def test_every_failed_write_of_a_camera_is_counted(tmp_path: Path) -> None:
    full, failed = tmp_path / "full.jsonl", list[tuple[str, str]]()
    full.symlink_to("/dev/full")
    (sink,) = open_camera_sinks(
        [str(full)], CLASSES, live(), FreeSpace(0, "pause"), on_failure=lambda *fault: failed.append(fault)
    )
    sink.write(seen(0))
    sink.close()
    ((name, sentence),) = failed
    assert name == str(full)
    assert "disk is full" in sentence


@pytest.mark.parametrize(
    ("text", "size"),
    [("500MB", 500_000_000), ("2g", 2_000_000_000), ("64k", 64_000), ("0", 0), ("1.5 GB", 1_500_000_000)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "1PB", "1 0"])
def test_what_is_no_size_is_refused_with_examples(text: str) -> None:
    with pytest.raises(Exception, match="100MB"):
        parse_size(text)
