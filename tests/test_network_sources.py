"""MJPEG and RTSP cameras that stall, die, come back and send nonsense: real servers, real time-outs."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from edge_seg.errors import SourceError
from edge_seg.sources import Frame, SourceOptions, open_source
from edge_seg.sources.live import LiveSource
from stream_fixtures import HttpCameraServer, RtspServer, http_camera, rtsp_server

PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]


def opened(url: str, said: list[str], **options: object) -> LiveSource:
    source = open_source(url, SourceOptions(**options), report=said.append)  # type: ignore[arg-type]
    assert isinstance(source, LiveSource)
    return source


def brightness(frame: Frame) -> int:
    return int(frame.image[4:20, 4:20].mean())


def take(frames: Iterator[Frame], count: int) -> list[Frame]:
    return [next(frames) for _ in range(count)]


@pytest.fixture
def camera() -> Iterator[HttpCameraServer]:
    with http_camera() as server:
        yield server


@pytest.mark.parametrize(
    ("path", "user"),
    [("/stream", ""), ("/moved", ""), ("/basic", "user:geheim@"), ("/digest", "user:geheim@")],
)
def test_mjpeg_is_read_through_redirects_and_authentication(camera: HttpCameraServer, path: str, user: str) -> None:
    source = opened(camera.url(path, user), [])
    frames = take(iter(source), 5)
    source.close()
    assert [brightness(frame) for frame in frames] == [50] * 5
    assert frames[0].image.shape == (64, 96, 3)
    assert "geheim" not in source.name


@pytest.mark.parametrize("content_type", ["multipart/x-mixed-replace;boundary=--frame", "multipart/x-mixed-replace"])
def test_mjpeg_without_lengths_and_with_a_wrong_boundary_is_read(content_type: str) -> None:
    with http_camera(with_lengths=False, content_type=content_type) as camera:
        source = opened(camera.url("/stream"), [])
        assert [brightness(frame) for frame in take(iter(source), 5)] == [50] * 5
        source.close()


@pytest.mark.parametrize(
    ("path", "user", "says"),
    [
        ("/absent", "", "answers 404"),
        ("/basic", "", "answers 401, it wants another user or password"),
        ("/basic", "user:geheimx@", "answers 401"),
        ("/digest", "user:geheimx@", "answers 401"),
        ("/half-digest", "user:geheim@", "check the address"),
    ],
)
def test_a_refusal_is_told_without_the_password(camera: HttpCameraServer, path: str, user: str, says: str) -> None:
    with pytest.raises(SourceError, match=says) as caught:
        opened(camera.url(path, user), [])
    assert "geheim" not in str(caught.value)
    assert str(caught.value).startswith(f"http://{camera.address}{path}: ")


def test_words_of_a_server_cannot_steer_the_terminal(camera: HttpCameraServer) -> None:
    with pytest.raises(SourceError, match=r"answers 404 gone \[31mx+; check") as caught:
        opened(camera.url("/refusal"), [])
    assert len(str(caught.value)) < 250


def test_a_host_that_nobody_knows_is_told() -> None:
    with pytest.raises(SourceError, match=r"no machine of that name|no answer|did not answer"):
        opened("http://no-such-camera.invalid/stream", [])


def test_a_snapshot_address_is_asked_again_and_again(camera: HttpCameraServer) -> None:
    source = opened(camera.url("/shot.jpg"), [], rate=10.0)
    started = time.monotonic()
    take(iter(source), 6)
    source.close()
    assert source.fps == 10
    assert 0.35 < time.monotonic() - started < 3


def test_a_silent_stream_is_noticed_in_under_three_seconds_and_opened_again(camera: HttpCameraServer) -> None:
    said: list[str] = []
    source = opened(camera.url("/stream"), said)
    frames = iter(source)
    take(frames, 3)
    camera.silent.set()
    source._report = lambda sentence: (said.append(sentence), noticed.append(time.monotonic()), camera.silent.clear())
    noticed: list[float] = []
    silent_since = time.monotonic()
    take(frames, 10)
    assert 2 < noticed[0] - silent_since < 3.4
    assert said[0].startswith(f"http://{camera.address}/stream: did not answer within 2.5 s")
    assert "frames again after" in said[1]
    assert camera.connections == 2
    source.close()


def test_a_stream_that_hangs_up_and_one_of_garbage_are_opened_again(camera: HttpCameraServer) -> None:
    said: list[str] = []
    source = opened(camera.url("/stream"), said)
    frames = iter(source)
    take(frames, 3)
    camera.hang_up.set()
    time.sleep(0.2)
    camera.hang_up.clear()
    take(frames, 3)
    assert "the stream ended" in said[0]
    camera.garbage.set()
    source._report = lambda sentence: (said.append(sentence), camera.garbage.clear())
    take(frames, 3)
    assert "sends only damaged pictures" in said[2]
    source.close()


def test_old_pictures_that_arrive_in_a_burst_after_a_pause_are_not_shown(camera: HttpCameraServer) -> None:
    said: list[str] = []
    source = opened(camera.url("/stream"), said)
    frames = iter(source)
    before = take(frames, 20)
    camera.silent.set()
    time.sleep(1.5)
    camera.burst, camera.burst_brightness, camera.brightness = 40, 200, 120
    camera.silent.clear()
    shown = take(frames, 25)
    source.close()
    assert 200 not in [brightness(frame) for frame in shown]
    assert brightness(shown[-1]) == 120
    assert shown[0].index - before[-1].index > 40  # dropped, and counted
    assert said == []


def test_a_frozen_stream_is_opened_again_once(camera: HttpCameraServer) -> None:
    said: list[str] = []
    source = opened(camera.url("/stream"), said, frozen_after_s=1.0)
    frames = iter(source)
    camera.frozen.set()
    take(frames, 150)
    source.close()
    assert camera.connections == 2
    assert "the picture is frozen" in said[0]
    assert "still the same picture" in said[2]
    assert len(said) == 3


READER = """
import sys
from edge_seg.sources import open_source
for frame in open_source(sys.argv[1]):
    print(int(frame.image[4:20, 4:20].mean()), flush=True)
"""


def test_a_stopped_process_shows_no_old_frames_when_it_goes_on(camera: HttpCameraServer) -> None:
    command = [sys.executable, "-c", READER, camera.url("/stream")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        before = [process.stdout.readline() for _ in range(30)]
        process.send_signal(signal.SIGSTOP)
        time.sleep(2)  # some sixty pictures wait in the socket by now
        camera.brightness = 200
        time.sleep(0.2)
        process.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        process.kill()
        after = process.stdout.read().split()
    assert before == ["50\n"] * 30
    assert after.count("50") <= 3  # written or taken before it was stopped
    assert after.count("200") > 10


def _wait_for(events: Path, lines: int = 10) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if events.exists() and len(events.read_text().splitlines()) >= lines:
            return
        time.sleep(0.05)
    raise AssertionError(f"{events} never got {lines} lines")


@pytest.mark.parametrize("silence", ["stalled", "gone"])
def test_sigterm_ends_the_camera_within_two_seconds_while_its_stream_is_lost(tmp_path: Path, silence: str) -> None:
    events = tmp_path / "e.jsonl"
    with http_camera() as camera:
        command = [*PROGRAM, "camera", "--source", camera.url("/stream"), "--no-window", "--out", str(events)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            _wait_for(events)
            (camera.silent if silence == "stalled" else camera.hang_up).set()
            time.sleep(1)
            asked = time.monotonic()
            process.send_signal(signal.SIGTERM)
            stdout, _ = process.communicate(timeout=10)
            assert time.monotonic() - asked < 2
    assert process.returncode == 0
    assert "frames in" in stdout


@pytest.fixture(scope="module")
def rtsp() -> Iterator[RtspServer]:
    with rtsp_server() as server:
        yield server


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_is_read_and_its_ages_are_small(rtsp: RtspServer, transport: str) -> None:
    source = opened(rtsp.url, [], transport=transport)
    frames = take(iter(source), 30)
    source.close()
    assert source.fps == pytest.approx(25)
    assert frames[-1].image.shape == (120, 160, 3)
    assert any((a.image != b.image).any() for a, b in pairwise(frames))


def test_rtsp_says_what_is_wrong_and_no_password(rtsp: RtspServer) -> None:
    with pytest.raises(SourceError, match=r"^rtsp://127.0.0.1:\d+/absent: answers, but gives no video") as caught:
        opened(f"rtsp://user:geheim@127.0.0.1:{rtsp.port}/absent", [])
    assert "geheim" not in str(caught.value)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SourceError, match="refused the connection"):
        opened(f"rtsp://127.0.0.1:{port}/test", [])


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_is_opened_again_after_its_server_stalled_and_died(rtsp: RtspServer, transport: str) -> None:
    said: list[str] = []
    source = opened(rtsp.url, said, transport=transport)
    frames = iter(source)
    take(frames, 20)
    rtsp.send(signal.SIGSTOP)
    stalled_at, noticed = time.monotonic(), []
    source._report = lambda sentence: (
        said.append(sentence),
        noticed.append(time.monotonic()),
        rtsp.send(signal.SIGCONT),
    )
    take(frames, 20)
    assert "no frame for 2.5 s" in said[0]
    assert noticed[0] - stalled_at < 3.4
    rtsp.kill()
    rtsp.start()
    take(frames, 20)
    source.close()
    assert sum("frames again" in sentence for sentence in said) == 2


def test_sigterm_ends_the_camera_while_ffmpeg_hangs_in_a_read(rtsp: RtspServer, tmp_path: Path) -> None:
    """The thread in FFmpeg outlives the interpreter, whose clean-up would abort the process."""
    events = tmp_path / "e.jsonl"
    command = [*PROGRAM, "camera", "--source", rtsp.url, "--no-window", "--out", str(events)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _wait_for(events)
        rtsp.send(signal.SIGSTOP)
        time.sleep(1)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=10)
        assert time.monotonic() - asked < 2
    rtsp.send(signal.SIGCONT)
    assert process.returncode == 0, stderr
    assert "frames in" in stdout
