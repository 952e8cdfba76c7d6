"""The device commands as a user runs them: real processes, the shipped model."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from device_fixtures import half_red_half_blue, mjpeg_server, write_video
from edge_seg.classes import make_classes
from edge_seg.cli.quitting import quit_on_sigterm
from edge_seg.dataset import DatasetWriter, SplitPolicy
from edge_seg.images import read_image, read_mask, write_image
from edge_seg.shipped import default_model

PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]


def edge_seg(*arguments: object, **kwargs) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **kwargs)


def one_line(text: str) -> str:
    (line,) = text.strip().splitlines()
    assert "Traceback" not in text
    return line


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in ("b.jpg", "a.png"):
        write_image(folder / name, half_red_half_blue(60, 90))
    return folder


def test_run_writes_overlays_masks_and_events(tmp_path: Path, photos: Path) -> None:
    outs = ["--out", tmp_path / "overlays/", "--out", f"masks:{tmp_path}/m", "--out", tmp_path / "e.jsonl"]
    done = edge_seg("run", photos, *outs, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 2
    assert "INFO" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "overlays").glob("[!.]*")) == ["a.jpg", "b.jpg"]
    assert read_mask(tmp_path / "m" / "a.png").shape == (60, 90)
    event = json.loads((tmp_path / "e.jsonl").read_text().splitlines()[0])
    assert event["name"] == "a.png"
    assert {"share_pet", "share_background", "share_border"} <= set(event)


def test_run_leaves_a_bad_image_out_and_says_so(tmp_path: Path, photos: Path) -> None:
    (photos / "bad.jpg").write_bytes((photos / "b.jpg").read_bytes()[:300])
    done = edge_seg("run", photos, "--out", tmp_path / "o/")
    assert done.returncode == 1
    assert "bad.jpg" in done.stderr
    assert len(list((tmp_path / "o").glob("*.jpg"))) == 2


def test_run_annotates_a_video(tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", 9)
    done = edge_seg("run", video, "--out", tmp_path / "out.mp4", "--threads", 2)
    assert done.returncode == 0, done.stderr
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) == 9
    capture.release()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "absent.jpg", "--out", "o/"], "absent.jpg"),
        (["run", "photos/a.png", "--out", "o.xyz"], "o.xyz"),
        (["run", "photos/a.png", "--out", "o/", "--model", "photos/a.png"], "not a TFLite model"),
        (["run", "photos/a.png", "--out", "o/", "--runtime", "onnx"], "litert"),
        (["run", "photos/a.png", "--out", "o/", "--labels", "none.txt"], "none.txt"),
        (["camera", "--source", "97", "--no-window"], "/dev/video97"),
        (["inspect", "absent.tflite"], "absent.tflite"),
        (["eval", str(default_model()), "--data", "photos"], "has no dataset.toml"),
        (["eval", "pets", "--data", "photos", "--worst", "w.xyz"], "'.xyz' names no image format"),
        (["eval", "pets", "--data", "photos", "--worst", "photos/a.png/w.png"], "photos/a.png"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(tmp_path: Path, photos: Path, arguments, says: str) -> None:
    done = edge_seg(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert says in one_line(done.stderr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


@pytest.mark.parametrize(
    "command",
    ["quickstart", "train", "convert", "inspect", "camera", "run", "alert", "eval", "bench", "models", "doctor"],
)
def test_help_has_an_example(command: str) -> None:
    done = edge_seg(command, "--help")
    assert done.returncode == 0
    assert f"edge-seg {command}" in done.stdout.partition("Example:")[2]


def test_eval_scores_the_shipped_model(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", name="toy", classes=make_classes(("pet", "background", "border"))) as writer:
        writer.add_array("a.png", half_red_half_blue(64, 64), np.ones((64, 64), np.uint8))
        writer.use_splits({"val": ["a.png"]}, SplitPolicy())
    worst = tmp_path / "worst.jpg"
    done = edge_seg("eval", "pets", "--data", tmp_path / "d", "--worst", worst, "--json")
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert set(printed["iou"]) == {"pet", "background", "border"}
    assert printed["worst"].keys() == {"a.png"}
    assert read_image(worst).shape[1] > 300


@pytest.mark.parametrize("command", [["inspect", default_model], ["models"], ["doctor"]])
def test_json_is_json(command) -> None:
    arguments = [part() if callable(part) else part for part in command]
    done = edge_seg(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_camera_records_a_stream_headless(tmp_path: Path) -> None:
    with mjpeg_server(500, interval_s=0.02) as url:
        done = edge_seg("camera", "--source", url, "--max-frames", 5, "--out", tmp_path / "e.jsonl")
    assert done.returncode == 0, done.stderr
    assert "no window" in done.stderr
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) >= 1


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_camera_closes_its_files_when_it_is_ended(tmp_path: Path, signal_number: int, code: int) -> None:
    video = write_video(tmp_path / "in.mp4", 3000)
    command = [*PROGRAM, "camera", "--source", str(video), "--no-window", "--out", str(tmp_path / "out.mp4")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stderr is not None
        assert b"fps" in process.stderr.readline()
        process.send_signal(signal_number)
        process.communicate(timeout=30)
    assert process.returncode == code
    capture = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert 0 < capture.get(cv2.CAP_PROP_FRAME_COUNT) < 3000
    capture.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4"]


def test_a_second_sigterm_in_the_middle_of_the_first_is_one() -> None:
    asked = 0

    def end() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            signal.raise_signal(signal.SIGTERM)

    with quit_on_sigterm(end):
        signal.raise_signal(signal.SIGTERM)
    assert asked == 1


def test_camera_leaves_a_bad_picture_out(tmp_path: Path, photos: Path) -> None:
    (photos / "a_bad.jpg").write_text("junk")
    done = edge_seg("camera", "--source", photos, "--no-window", "--out", tmp_path / "e.jsonl")
    assert done.returncode == 0, done.stderr
    assert "left out" in done.stderr
    assert (tmp_path / "e.jsonl").read_text()


def test_a_terminal_that_does_not_control_the_program_is_left_alone(tmp_path: Path) -> None:
    """A board's first program, started by the kernel, reads such a console."""
    video = write_video(tmp_path / "in.mp4", 5)
    ours, theirs = pty.openpty()
    done = edge_seg("camera", "--source", video, "--no-window", stdin=theirs, start_new_session=True)
    os.close(ours)
    os.close(theirs)
    assert (done.returncode, done.stdout.partition(" in ")[0]) == (0, "5 frames"), done.stderr


def test_q_on_the_terminal_ends_the_camera_and_gives_the_terminal_back(tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", 5000)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(PROGRAM[0], [*PROGRAM, "camera", "--source", str(video), "--no-window"])
    seen = b""
    while b"fps" not in seen:
        seen += os.read(terminal, 1000)
    os.write(terminal, b"q")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            seen += os.read(terminal, 1000)
        except OSError:
            break
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"frames in" in seen
