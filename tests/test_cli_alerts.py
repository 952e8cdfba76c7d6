"""Alerts as a user runs them: real processes, a real broker, the shipped model."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest
from PIL import Image

from alert_fixtures import free_port, mosquitto, subscriber, wait_until, web
from device_fixtures import half_red_half_blue, mjpeg_server, write_video
from edge_seg.images import write_image
from test_cli_device import PROGRAM, edge_seg, one_line

ALWAYS = "seen: background >= 0.1%"  # of any picture of the tests


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def camera(folder: Path, *arguments: object, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A camera on an endless stream; killed at the end if it still runs."""
    with mjpeg_server(100_000, interval_s=0.02) as url:
        command = [*PROGRAM, "camera", "--no-window", "--source", url, *map(str, arguments)]
        with (
            (folder / "stderr").open("wb") as complaints,
            subprocess.Popen(
                command,
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env={**os.environ, **environment},
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()


@pytest.mark.parametrize(("every", "raised_at"), [(5, 20), (30, 30)])
def test_frames_that_are_left_out_count_as_time(tmp_path: Path, every: int, raised_at: int) -> None:
    video = write_video(tmp_path / "in.mp4", 61, fps=10)
    rule = f"{ALWAYS} for {raised_at / 10 - 0.05}s"
    done = edge_seg("camera", "--source", video, "--no-window", "--alert", rule, "--every", every, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [event["frame"] for event in lines(tmp_path / "alerts" / "alerts.jsonl")] == [raised_at]


def test_a_film_raises_and_clears(tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", 60, fps=10)
    rules = ["--alert", f"{ALWAYS} for 2s in top", "--alert", "never: pet > 99%", "--region", "top=0,0 1,0 1,.5 0,.5"]
    commands = ["--on-alert", 'echo "$EDGE_SEG_EVENT $EDGE_SEG_ALERT" >> told']
    done = edge_seg("camera", "--source", video, "--no-window", *rules, *commands, "--device-name", "pi", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (event,) = lines(tmp_path / "alerts" / "alerts.jsonl")
    assert (event["event"], event["alert"], event["frame"], event["device"]) == ("raised", "seen", 20, "pi")
    assert event["region"] == "top"
    with Image.open(tmp_path / "alerts" / event["snapshot"]) as snapshot:
        assert snapshot.size == (96, 64)
    assert "alert raised: seen" in done.stderr
    assert (tmp_path / "told").read_text() == "raised seen\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--alert", "fire > 2%"], "the model has no class 'fire'; its classes are pet, background, border"),
        (["--alert", "pet > lots"], "not 'lots'"),
        (["--webhook", "https://host"], '--webhook: there is nothing to tell of; give a rule, as in  --alert "fire'),
        (["--on-alert", "true"], "--on-alert: there is nothing to tell of"),
        (["--alert", "pet > 2%", "--webhook", "http://example.org"], "unencrypted"),
        (["--alert", "pet > 2%", "--mqtt", "mqtt://a", "--mqtt", "mqtt://a"], "is given twice"),
        (["--alert", "pet > 2%", "--alerts", "film.mp4"], "film.mp4: cannot be written"),
        (["--out", "mqtt://host"], "give it to --mqtt, with a rule to --alert"),
        (["--out", "https://host/secret"], "give it to --webhook, with a rule to --alert"),
    ],
)
def test_what_makes_no_sense_is_one_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    write_video(tmp_path / "film.mp4", 3)
    done = edge_seg("camera", "--source", "film.mp4", "--no-window", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert says in one_line(done.stderr)
    assert "secret" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_sigterm_ends_within_two_seconds_whoever_is_away(tmp_path: Path) -> None:
    with web() as server:
        server.hangs_s = 5.0
        away = ["--mqtt", f"mqtt://127.0.0.1:{free_port()}", "--webhook", f"http://127.0.0.1:{server.port}"]
        with camera(tmp_path, "--alert", ALWAYS, *away, "--on-alert", "sleep 60") as process:
            wait_until(lambda: len(server.requests) > 0 and len(lines(tmp_path / "alerts" / "alerts.jsonl")) == 1)
            time.sleep(0.3)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
            assert time.monotonic() - started < 2.5
    complaints = (tmp_path / "stderr").read_text()
    assert "refuses the connection at port " in complaints
    assert "Traceback" not in complaints


def test_the_next_run_delivers_what_a_killed_one_left(tmp_path: Path) -> None:
    port = free_port()
    arguments = ["--alert", ALWAYS, "--webhook", f"http://127.0.0.1:{port}/hook"]
    journal = tmp_path / "alerts" / "alerts.jsonl"
    with camera(tmp_path, *arguments) as process:
        wait_until(lambda: "refuses the connection" in (tmp_path / "stderr").read_text() and len(lines(journal)) == 1)
        process.kill()
    (first,) = lines(journal)
    with web(port=port) as server, camera(tmp_path, *arguments):
        wait_until(lambda: len(server.posted) >= 2)
    assert [item["id"] for item in server.posted[:2]] == [first["id"], lines(journal)[1]["id"]]


def test_a_killed_camera_leaves_its_last_will(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as broker,
        subscriber(broker.port) as heard,
        camera(tmp_path, "--mqtt", broker.uri, "--alert", ALWAYS, "--device-name", "pi") as process,
    ):
        wait_until(lambda: "ON" in (heard.last("edge-seg/pi/alert/seen") or ""))
        assert heard.last("edge-seg/pi/status") == "online"
        process.kill()
        wait_until(lambda: heard.last("edge-seg/pi/status") == "offline", "the last will")


def test_a_broker_alone_gets_shares(tmp_path: Path) -> None:
    with (
        mosquitto(tmp_path) as broker,
        subscriber(broker.port) as heard,
        camera(tmp_path, EDGE_SEG_MQTT=f"{broker.uri}/porch"),
    ):
        wait_until(lambda: heard.last("porch/telemetry") is not None)
    assert set(json.loads(heard.on("porch/telemetry")[0])["share"]) == {"pet", "background", "border"}


def test_two_cameras_do_not_share_a_folder(tmp_path: Path) -> None:
    with camera(tmp_path, "--alert", ALWAYS):
        wait_until((tmp_path / "alerts" / "alerts.jsonl").exists)
        done = edge_seg("camera", "--source", write_video(tmp_path / "v.mp4", 3), "--alert", ALWAYS, cwd=tmp_path)
    assert done.returncode == 1
    assert "another camera keeps its alerts there" in one_line(done.stderr)


def test_a_trial_tells_of_every_receiver(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker, subscriber(broker.port) as heard, web() as server:
        receivers = ["--mqtt", broker.uri, "--webhook", f"http://127.0.0.1:{server.port}/x", "--on-alert", "exit 4"]
        done = edge_seg("alert", "test", *receivers, "--json", cwd=tmp_path)
        wait_until(lambda: bool(heard.messages))
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert [trial["fault"] for trial in report["receivers"]] == [None, None, "ended with exit code 4"]
    assert server.posted == [report["event"]]
    assert report["event"]["event"] == "test"
    assert [topic.rpartition("/")[2] for topic, _, _ in heard.messages] == ["events"]


def test_a_trial_without_receivers_says_what_to_give(tmp_path: Path) -> None:
    done = edge_seg("alert", "test", cwd=tmp_path)
    assert done.returncode == 1
    assert "give --mqtt, --webhook or --on-alert" in one_line(done.stderr)


def test_a_folder_of_pictures_can_be_watched_too(tmp_path: Path) -> None:
    write_image(tmp_path / "photos" / "a.png", half_red_half_blue(60, 90))
    done = edge_seg("camera", "--source", tmp_path / "photos", "--no-window", "--alert", ALWAYS, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert cv2.imread(str(tmp_path / "alerts" / lines(tmp_path / "alerts" / "alerts.jsonl")[0]["snapshot"])) is not None
