"""What a kill -9 leaves behind, in real processes."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from device_fixtures import mjpeg_server
from edge_seg.sinks import open_sink
from sink_fixtures import CLASSES, level, levels, live, video_frames

PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]
URIS = ["o.mp4", "o.mkv", "e.jsonl", "s.csv", "coco.json", "via.json", "overlays/", "masks/"]
FRAMES_A_SECOND = 10


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A folder of recordings whose writer was killed, and how many frames they were given at least."""
    folder = tmp_path_factory.mktemp("killed")
    child = [sys.executable, str(Path(__file__).with_name("recording_child.py")), str(folder), *URIS]
    with subprocess.Popen(child, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == 67:
                process.kill()
                break
        rest = process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL
    return folder, int(rest[-1]) + 1 if rest else 68


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_killed_video_is_played_up_to_its_last_second(killed: tuple[Path, int], suffix: str) -> None:
    folder, count = killed
    found = [value for path in sorted(folder.glob(f"o*.{suffix}")) for value in levels(path)]
    assert count - FRAMES_A_SECOND - 1 <= len(found) <= count + 1
    assert found == pytest.approx([level(index) for index in range(len(found))], abs=4)


def test_killed_lines_are_whole_and_none_is_missing(killed: tuple[Path, int]) -> None:
    folder, count = killed
    events = [json.loads(line) for path in sorted(folder.glob("e*.jsonl")) for line in path.read_text().splitlines()]
    rows = [row for path in sorted(folder.glob("s*.csv")) for row in csv.DictReader(path.read_text().splitlines())]
    for frames in ([item["frame"] for item in events], [int(row["frame"]) for row in rows]):
        assert frames == list(range(len(frames)))
        assert count <= len(frames) <= count + 1


def test_killed_folders_hold_whole_pictures(killed: tuple[Path, int]) -> None:
    folder, count = killed
    for name in ("overlays", "masks"):
        pictures = [path for path in (folder / name).rglob("*") if path.is_file() and "part" not in path.name]
        assert count <= len(pictures) <= count + 1
        for path in pictures:
            Image.open(path).load()


@pytest.mark.parametrize(("kind", "pictures"), [("coco", "images"), ("via", "_via_img_metadata")])
def test_killed_annotations_are_finished_by_the_next_run(killed: tuple[Path, int], kind: str, pictures: str) -> None:
    folder, count = killed
    assert len(list(folder.glob(f"{kind}*.journal"))) == 1
    open_sink(str(folder / f"{kind}.json"), CLASSES, live()).close()
    files = sorted(folder.glob(f"{kind}*.json"))
    held = [len(json.loads(path.read_text())[pictures]) for path in files]
    assert held[:2] == [25, 25]
    assert count <= sum(held) <= count + 1
    assert [len(list((folder / f"{path.stem}_frames").iterdir())) for path in files][:2] == [25, 25]
    assert not list(folder.glob("*.journal*")) or kind == "coco"


def test_a_killed_camera_leaves_what_it_saw_and_the_next_run_overwrites_nothing(tmp_path: Path) -> None:
    outs = [part for uri in ("o.mp4", "e.jsonl", "via.json") for part in ("--out", str(tmp_path / uri))]
    with mjpeg_server(500, interval_s=0.02) as url:
        command = [*PROGRAM, "camera", "--source", url, "--no-window", *outs]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            give_up_s = time.monotonic() + 30
            while not (tmp_path / "o.mp4").exists():
                assert time.monotonic() < give_up_s
                time.sleep(0.05)
            time.sleep(1.5)
            os.kill(process.pid, signal.SIGKILL)
        seconds = [at_s for at_s, _ in video_frames(tmp_path / "o.mp4")]
        seen_before = len((tmp_path / "e.jsonl").read_text().splitlines())
        assert seconds[-1] > 1
        assert len(seconds) > 20
        done = subprocess.run([*command, "--max-frames", "5"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert [at_s for at_s, _ in video_frames(tmp_path / "o.mp4")] == seconds
    assert len(list(tmp_path.glob("o_*.mp4"))) == 1
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == seen_before + 5
    assert len(json.loads((tmp_path / "via.json").read_text())["_via_image_id_list"]) >= seen_before - 1


def test_sigterm_ends_a_camera_with_every_output_whole(tmp_path: Path) -> None:
    outs = [part for uri in URIS for part in ("--out", f"{tmp_path}/{uri}")]
    with mjpeg_server(2000, interval_s=0.02) as url:
        command = [*PROGRAM, "camera", "--source", url, "--no-window", "--rotate", "2s", *outs]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
            eventually_rotated(tmp_path)
            process.terminate()
            began_s = time.monotonic()
            _, said = process.communicate(timeout=30)
            took_s = time.monotonic() - began_s
    assert process.returncode == 0, said
    assert took_s < 2 + 3  # the second figure is for a loaded machine
    assert not [path for path in tmp_path.rglob("*") if "part" in path.name or path.suffix == ".journal"]
    for kind in ("coco", "via"):
        for path in tmp_path.glob(f"{kind}*.json"):
            json.loads(path.read_text())
    for path in [*tmp_path.glob("*.mp4"), *tmp_path.glob("*.mkv")]:
        assert levels(path)


def eventually_rotated(folder: Path) -> None:
    give_up_s = time.monotonic() + 30
    while not list(folder.glob("via_*.journal")):
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
