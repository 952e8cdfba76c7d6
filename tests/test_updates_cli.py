"""`edge-seg camera --model https://…` as a process: watched, killed, stopped, confined, and told what is wrong."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest
import typer
from cryptography.hazmat.primitives import serialization

from edge_seg.cli.update_options import look_every_of
from edge_seg.service.unit import unit_text
from stream_fixtures import HttpCameraServer, http_camera
from test_service import DOOR, SETTINGS, skip_without_sandbox
from update_fixtures import KEY, OTHER_KEY, ModelWeb, model_web, trickling
from updating_camera import FAST, OTHER, have, publish, wait_until

PROGRAM = [sys.executable, "-m", "edge_seg.cli"]


@pytest.fixture
def web() -> Iterator[ModelWeb]:
    with model_web() as server:
        yield server


@pytest.fixture
def stream() -> Iterator[HttpCameraServer]:
    with http_camera() as camera:
        yield camera


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "public.pem"
    pem, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(KEY.public_key().public_bytes(pem, kind))
    return path


@dataclass
class Process:
    """A camera, and the lines it has written to stderr."""

    popen: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def read(self) -> None:
        assert self.popen.stderr is not None
        self.lines += (line.rstrip() for line in self.popen.stderr)

    def wait_for(self, words: str) -> str:
        def found() -> str | None:
            return next((line for line in self.lines if words in line), None)

        wait_until(lambda: found() or self.popen.poll() is not None, lambda: f"{words}: {self.lines}")
        line = found()
        assert line is not None, self.lines
        return line

    @property
    def told(self) -> list[str]:
        """The lines about models."""
        return [line for line in self.lines if "version" in line]


@contextmanager
def camera(web: ModelWeb, stream: HttpCameraServer, key: Path, *options: str) -> Iterator[Process]:
    command = [*PROGRAM, "camera", "--source", stream.url("/stream"), "--no-window", "--model", web.url]
    updates = ["--model-key", str(key), "--model-folder", "models", "--model-every", "1s"]
    with subprocess.Popen(
        [*command, *updates, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=key.parent
    ) as popen:
        process = Process(popen)
        reader = threading.Thread(target=process.read)
        reader.start()
        try:
            yield process
        finally:
            popen.kill()
            reader.join()


def test_the_camera_tells_which_version_runs(web: ModelWeb, stream: HttpCameraServer, key: Path) -> None:
    have(web, key.parent / "models")
    with camera(web, stream, key, "--serve", "127.0.0.1:0", "--out", "e.jsonl") as process:
        page = re.search(r"http://\S+", process.wait_for("live page"))[0]

        def state() -> dict[str, object]:
            with urlopen(f"{page}state.json") as answer:
                return json.load(answer)

        wait_until(lambda: state()["frames"] > 10)
        assert state()["model"]["version"] == 1
        publish(web, OTHER, 2, key=OTHER_KEY)
        process.wait_for("not signed by the key")
        manifest = publish(web, OTHER, 2)
        wait_until(lambda: state()["model"]["version"] == 2)
        with urlopen(f"{page}metrics") as answer:
            metrics = answer.read().decode()
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(20) == 0
    (info,) = re.findall(r"edge_seg_info{.*} 1.0", metrics)
    assert f'model_sha256="{manifest.sha256}"' in info
    assert 'model_version="2"' in info
    assert 'edge_seg_model_updates_total{outcome="failed"} 1.0' in metrics
    assert process.told[0].endswith("(pets version 1 goes on)")
    assert process.told[1:] == ["pets version 2 runs now; pets version 1 stands by until it has proved itself"]
    frames = [json.loads(line)["frame"] for line in (key.parent / "e.jsonl").read_text().splitlines()]
    assert frames == sorted(set(frames))


def test_a_version_on_trial_that_ends_the_camera_twice_is_refused(
    web: ModelWeb, stream: HttpCameraServer, key: Path
) -> None:
    have(web, key.parent / "models")
    publish(web, OTHER, 2)
    for attempt, words in enumerate(("version 2 runs now", "tried once more", "again; it is refused")):
        with camera(web, stream, key) as process:
            process.wait_for(words)
            if attempt < 2:
                process.wait_for("version 2 runs now")
                process.popen.send_signal(signal.SIGSEGV if attempt else signal.SIGKILL)
            else:
                process.wait_for("fps")
                asked = len(web.requests)
                wait_until(lambda asked=asked: len(web.requests) > asked + 2)
    assert len(process.told) == 1
    assert "version 1 runs" in process.told[0]


def test_it_ends_at_once_while_a_server_trickles(web: ModelWeb, stream: HttpCameraServer, key: Path) -> None:
    have(web, key.parent / "models")
    with camera(web, stream, key) as process:
        process.wait_for("fps")
        web.answers["/fire.tflite.manifest.json"] = [trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n")]
        asked = len(web.requests)
        wait_until(lambda: len(web.requests) > asked)
        time.sleep(0.3)  # in the middle of the answer
        process.popen.send_signal(signal.SIGTERM)
        assert process.popen.wait(10) == 0
    assert process.told == []


def test_a_model_is_fetched_and_tried_under_the_filter_of_the_unit(
    web: ModelWeb, stream: HttpCameraServer, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_without_sandbox()
    unit = key.with_name(DOOR.unit)
    unit.write_text(unit_text(DOOR, SETTINGS))
    sandbox = [sys.executable, str(Path(__file__).with_name("service_sandbox.py")), str(unit)]
    monkeypatch.setattr(sys.modules[__name__], "PROGRAM", [*sandbox, *PROGRAM])
    publish(web, FAST, 1)
    with camera(web, stream, key) as process:
        process.wait_for("fps")
    assert (key.parent / "models/versions/1").is_dir()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["https://h:99999/a.tflite"], "its host or port cannot be told"),
        (["http://example.org/a.tflite"], "would fetch models unencrypted over a public network"),
        (["https://h/a.tflite", "--ca-file", "no.pem"], "no.pem: cannot be read as certificates"),
    ],
)
def test_what_is_typed_wrong_is_told_though_the_camera_has_a_model(
    options: list[str], sentence: str, key: Path, web: ModelWeb
) -> None:
    have(web, key.parent / "models")
    command = [*PROGRAM, "camera", "--no-window", "--model-key", str(key), "--model", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=key.parent)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("text", ["1ms", "0.99s", "366d", "1000000d"])
def test_how_often_to_look_has_bounds(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="between 1s and 365d"):
        look_every_of(text)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["camera", "--model", "https://h/a.tflite"], "give the public key that they are signed for"),
        (["camera", "--model-key", "public.pem"], "--model-key is for models that are fetched"),
        (["camera", "--model", "pets", "--model-slowest", "2x"], "--model-slowest is for models that are fetched"),
        (["camera", "--model", "pets", "--device-class", "x"], "--device-class is for models that are fetched"),
        (["camera", "--model", "https://h/a.tflite", "--model-key", "no.pem"], "no.pem: the public key cannot be read"),
        (["run", "photos", "--out", "m/", "--model", "https://h/a.tflite"], "edge-seg camera  alone fetches models"),
        (["bench", "https://h/a.tflite"], "edge-seg camera  alone fetches models"),
        (["camera", "--serve", "127.0.0.1:0", "--device-name", "\udcff"], "--device-name '\\udcff': holds bytes"),
    ],
)
def test_what_is_wrong_is_one_sentence(options: list[str], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    done = subprocess.run([*PROGRAM, *options], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
