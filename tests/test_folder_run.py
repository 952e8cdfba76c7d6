"""A folder through all cores: the same outputs in the same order, whatever interrupts it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_seg.errors import SinkError
from edge_seg.folder_run.lines import first_missing_line, keep_lines_before
from edge_seg.folder_run.outputs import outputs_of, unique_stems
from edge_seg.images import read_mask, write_image

PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]
OUTS = ("--out", "masks:m", "--out", "o/", "--out", "e.jsonl")


def command(*arguments: object) -> list[str]:
    return [*PROGRAM, "run", *(str(argument) for argument in arguments)]


def run(folder: Path, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command(*arguments), cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def write_pictures(folder: Path, count: int) -> None:
    """Write a few pictures, the rest as further names of them."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    few = min(count, 6)
    for index in range(few):
        noise = rng.integers(0, 256, (6, 9, 3)).astype(np.uint8)
        picture = np.asarray(cv2.resize(noise, (120 + 8 * index, 90), interpolation=cv2.INTER_CUBIC), np.uint8)
        write_image(folder / f"{index:05d}.jpg", picture)
    for index in range(few, count):
        (folder / f"{index:05d}.jpg").hardlink_to(folder / f"{index % few:05d}.jpg")


def without_times(lines: str) -> list[dict[str, object]]:
    events = [json.loads(line) for line in lines.splitlines()]
    return [
        {key: value for key, value in event.items() if key != "time" and not key.endswith("_ms")} for event in events
    ]


def files(folder: Path) -> dict[str, bytes]:
    """All outputs but the lines and the notes, which hold times."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("m", "o")
        for path in (folder / part).iterdir()
        if path.name != ".edge-seg-run.json"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 pictures and one bad one, run in one go by one process."""
    folder = tmp_path_factory.mktemp("whole")
    write_pictures(folder / "pics", 200)
    (folder / "pics" / "00002b.jpg").write_bytes(b"no picture")
    run(folder, "pics", *OUTS, "--jobs", 1, code=1)
    return folder


@pytest.fixture
def again(whole: Path, tmp_path: Path) -> Path:
    """A folder beside the same pictures."""
    (tmp_path / "pics").symlink_to(whole / "pics")
    return tmp_path


def assert_same(folder: Path, whole: Path) -> None:
    assert files(folder) == files(whole)
    assert without_times((folder / "e.jsonl").read_text()) == without_times((whole / "e.jsonl").read_text())


def test_one_process_writes_all_in_order(whole: Path) -> None:
    names = [event["name"] for event in without_times((whole / "e.jsonl").read_text())]
    assert names == [f"{index:05d}.jpg" for index in range(200)]
    assert len(files(whole)) == 400


def test_two_processes_write_the_same_in_the_same_order(again: Path, whole: Path) -> None:
    done = run(again, "pics", *OUTS, "--jobs", 2, "--json", code=1)
    summary = json.loads(done.stdout)
    assert (summary["frames"], summary["jobs"], summary["done_before"]) == (200, 2, 0)
    assert "00002b.jpg" in summary["left_out"][0]
    assert "00002b.jpg" in done.stderr
    assert_same(again, whole)


@pytest.mark.parametrize(
    ("signal_number", "jobs"), [(signal.SIGKILL, 2), (signal.SIGKILL, 1), (signal.SIGINT, 2), (signal.SIGTERM, 2)]
)
def test_a_run_that_was_stopped_goes_on(again: Path, whole: Path, signal_number: int, jobs: int) -> None:
    process = subprocess.Popen(
        command("pics", *OUTS, "--jobs", jobs), cwd=again, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for_lines(again / "e.jsonl", 20, process)
    process.send_signal(signal_number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if signal_number == signal.SIGKILL else 130)
    assert "Traceback" not in said
    assert_group_ends(process.pid)
    done = run(again, "pics", *OUTS, "--jobs", jobs, "--json", code=1)
    summary = json.loads(done.stdout)
    assert 0 < summary["frames"] < 200 or signal_number == signal.SIGKILL
    assert "00002b.jpg" in summary["left_out"][0]
    assert_same(again, whole)
    if signal_number != signal.SIGKILL:
        assert "the same command goes on" in said
        assert f"{summary['done_before']} of 201 were done already" in done.stderr


def wait_for_lines(path: Path, count: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_group_ends(group: int) -> None:
    """Workers end by themselves when the process that started them is killed."""
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    os.killpg(group, signal.SIGKILL)
    pytest.fail("a worker outlived its parent")


def tear_line(folder: Path) -> None:
    os.truncate(folder / "e.jsonl", (folder / "e.jsonl").stat().st_size - 7)


def fill_with_zeros(folder: Path) -> None:
    size = (folder / "e.jsonl").stat().st_size
    os.truncate(folder / "e.jsonl", size - 1000)
    os.truncate(folder / "e.jsonl", size)


def empty_a_mask(folder: Path) -> None:
    (folder / "m" / "00150.png").write_bytes(b"")


def lose_an_overlay(folder: Path) -> None:
    (folder / "o" / "00120.jpg").unlink()


def lose_a_line(folder: Path) -> None:
    lines = (folder / "e.jsonl").read_text().splitlines(keepends=True)
    (folder / "e.jsonl").write_text("".join(lines[:100] + lines[101:]))


def lose_a_folder(folder: Path) -> None:
    for path in (folder / "m").iterdir():
        path.unlink()
    (folder / "m").rmdir()


def lose_the_lines(folder: Path) -> None:
    (folder / "e.jsonl").unlink()


def leave_a_part(folder: Path) -> None:
    (folder / "o" / ".00199.123.part.jpg").write_bytes(b"half")
    (folder / "o" / "00199.jpg").unlink()


@pytest.mark.parametrize(
    ("damage", "done_before"),
    [
        (tear_line, 200),
        (fill_with_zeros, range(190, 200)),
        (empty_a_mask, 151),
        (lose_an_overlay, 121),
        (lose_a_line, 101),
        (lose_a_folder, 0),
        (lose_the_lines, 0),
        (leave_a_part, 200),
    ],
)
def test_what_a_power_cut_or_a_user_took_is_done_again(damage, done_before, tmp_path: Path, whole: Path) -> None:
    """The bad picture is number 3, so that numbers of pictures are one more than their names'."""
    subprocess.run(["cp", "-a", f"{whole}/.", str(tmp_path)], check=True)
    move_notes(tmp_path, whole)
    damage(tmp_path)
    summary = json.loads(run(tmp_path, "pics", *OUTS, "--json", code=1).stdout)
    assert summary["done_before"] in (done_before if isinstance(done_before, range) else (done_before,))
    assert_same(tmp_path, whole)


def move_notes(folder: Path, before: Path) -> None:
    for path in (
        folder / "m/.edge-seg-run.json",
        folder / "o/.edge-seg-run.json",
        folder / ".e.jsonl.edge-seg-run.json",
    ):
        path.write_text(path.read_text().replace(str(before), str(folder)))


def test_a_finished_run_has_nothing_left_to_do(again: Path) -> None:
    write_pictures(again / "few", 3)
    run(again, "few", *OUTS)
    before = {path: path.stat().st_mtime_ns for path in (again / "m").iterdir()}
    assert "nothing left to do; 3 were done already" in run(again, "few", *OUTS).stdout
    assert all(path.stat().st_mtime_ns == time_ns for path, time_ns in before.items() if path.suffix == ".png")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--opacity", 0.2], "the opacity 0.55 is now 0.2"),
        (["--model", "other.tflite"], "the model pets.tflite"),
        (["--labels", "names.txt"], "the list of labels"),
    ],
)
def test_another_run_is_not_mixed_in(tmp_path: Path, change: list[object], says: str) -> None:
    from edge_seg.shipped import default_model

    write_pictures(tmp_path / "pics", 3)
    (tmp_path / "other.tflite").write_bytes(default_model().read_bytes())
    (tmp_path / "names.txt").write_text("a\nb\nc\n")
    run(tmp_path, "pics", *OUTS)
    before = files(tmp_path), (tmp_path / "e.jsonl").read_bytes()
    refusal = run(tmp_path, "pics", *OUTS, *change, code=1).stderr
    assert says in refusal
    assert "--fresh" in refusal
    assert (files(tmp_path), (tmp_path / "e.jsonl").read_bytes()) == before
    done = run(tmp_path, "pics", *OUTS, *change, "--fresh", "--json")
    assert json.loads(done.stdout)["frames"] == 3
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == 3


def test_new_pictures_make_another_run(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pics", 3)
    run(tmp_path, "pics", *OUTS)
    (tmp_path / "pics" / "00000a.jpg").hardlink_to(tmp_path / "pics" / "00000.jpg")
    assert "the list of pictures" in run(tmp_path, "pics", *OUTS, code=1).stderr


def test_lines_of_something_else_are_not_appended_to(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pics", 2)
    (tmp_path / "e.jsonl").write_text('{"mine": 1}\n')
    assert "--fresh" in run(tmp_path, "pics", "--out", "e.jsonl", code=1).stderr
    assert (tmp_path / "e.jsonl").read_text() == '{"mine": 1}\n'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.jsonl", "pics"]


def test_pictures_are_not_overwritten_with_their_overlays(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pics", 2)
    assert "the pictures themselves" in run(tmp_path, "pics", "--out", "pics/", code=1).stderr


@pytest.mark.parametrize("further", [(), ("--out", "coco.json")])
def test_each_file_of_lines_has_its_own(tmp_path: Path, further: tuple[str, ...]) -> None:
    write_pictures(tmp_path / "pics", 6)
    (tmp_path / "pics" / "00002b.jpg").write_bytes(b"no picture")
    outs = ("--out", "a.csv", "--out", "m/", "--out", "b.jsonl", *further)
    run(tmp_path, "pics", *outs, "--jobs", 2, code=1)
    events = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text().splitlines()]
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert [event["frame"] for event in events] == [0, 1, 2, 4, 5, 6]
    assert [{key: value for key, value in row.items() if value} for row in rows] == [
        {key: str(value) for key, value in event.items()} for event in events
    ]


def test_a_video_of_a_folder_is_made_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "pics"
    folder.mkdir()
    for index in range(4):
        write_image(folder / f"{index}.png", np.full((64, 96, 3), 60 * index, np.uint8))
    for _ in range(2):
        run(tmp_path, "pics", "--out", "v.mp4", "--out", "e.jsonl", "--jobs", 2)
        capture = cv2.VideoCapture(str(tmp_path / "v.mp4"))
        assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 4
        capture.release()
        assert len((tmp_path / "e.jsonl").read_text().splitlines()) == 4


def test_two_pictures_of_one_stem_have_a_mask_each(tmp_path: Path) -> None:
    folder = tmp_path / "pics"
    folder.mkdir()
    write_image(folder / "a.png", np.zeros((20, 30, 3), np.uint8))
    write_image(folder / "a.bmp", np.zeros((40, 50, 3), np.uint8))
    run(tmp_path, "pics", "--out", "masks:m", "--jobs", 2)
    assert read_mask(tmp_path / "m" / "a.png").shape == (40, 50)
    assert read_mask(tmp_path / "m" / "a_png.png").shape == (20, 30)


def test_stems() -> None:
    assert list(unique_stems(["a.jpg", "a.png", "b.c.jpg", "d.jpg"])) == ["a", "a_png", "b.c", "d"]


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("masks:x", "masks"),
        ("masks/", "masks"),
        ("overlays:masks", "overlays"),
        ("out/", "overlays"),
        ("out", "overlays"),
        ("e.jsonl", "lines"),
        ("e.csv", "lines"),
        ("v.mp4", "whole"),
        ("window:", "whole"),
        ("/dev/stdout", "whole"),
        ("coco:x.json", "whole"),
    ],
)
def test_outputs_are_what_they_are_called(uri: str, kind: str) -> None:
    assert outputs_of([uri])[0].kind == kind


@pytest.mark.parametrize(
    ("text", "first_missing", "kept"),
    [
        ('{"frame": 0}\n{"frame": 2}\n{"frame": 3}\n', 4, 3),
        ('{"frame": 0}\n{"frame": 2}\n{"frame": 3}', 3, 2),
        ('{"frame": 0}\n{"frame": 3}\n', 2, 1),
        ('{"frame": 0}\n\0\0\0\n', 2, 1),
        ('{"frame": 0}\n[]\n', 2, 1),
        ("", 0, 0),
    ],
)
def test_lines_are_followed_and_cut(tmp_path: Path, text: str, first_missing: int, kept: int) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text(text)
    assert first_missing_line(path, {1: "bad"}, 4) == first_missing
    keep_lines_before(path, first_missing)
    assert path.read_text().count("\n") == kept
    assert path.read_text() == "".join(text.splitlines(keepends=True)[:kept])


def test_csv_keeps_its_head(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text('time,frame,name\nt,0,"a,b"\nt,1,c\nt,2,d\n')
    assert first_missing_line(path, {}, 5) == 3
    keep_lines_before(path, 1)
    assert path.read_text() == 'time,frame,name\nt,0,"a,b"\n'


def test_a_note_that_says_nothing_is_one_sentence(tmp_path: Path) -> None:
    from edge_seg.folder_run.state import resume

    (tmp_path / ".e.jsonl.edge-seg-run.json").write_text("{")
    with pytest.raises(SinkError, match="--fresh"):
        resume(outputs_of([str(tmp_path / "e.jsonl")]), {}, ["a"])
