"""What the camera tells systemd, on real datagram sockets."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_fixtures import FakeEngine, frame, red_or_blue, result, spec, write_video
from edge_seg.pipeline import run_pipeline
from edge_seg.segmenter import Segmenter
from edge_seg.service.notify import Heartbeat, notifier
from edge_seg.sources.images import ImageFiles

PROGRAM = [sys.executable, "-m", "edge_seg.cli"]


class Manager:
    """The receiving end: a socket as systemd opens it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def receive(self, timeout_s: float = 20.0) -> list[str]:
        """Return the assignments of the next message, or none when it does not come in time."""
        self._socket.settimeout(timeout_s)
        try:
            return self._socket.recv(4096).decode().split("\n")
        except TimeoutError:
            return []

    def receive_until(self, assignment: str) -> list[str]:
        """Return all assignments up to one."""
        seen: list[str] = []
        while assignment not in seen:
            message = self.receive()
            assert message, f"silent before {assignment}, after {seen}"
            seen += message
        return seen

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@edge-seg-test-{os.getpid()}"
    ours = Manager(address)
    yield ours
    ours.close()


def test_assignments_arrive_in_one_datagram(manager: Manager) -> None:
    notifier(manager.address)("READY=1", "STATUS=zwölf fps")
    assert manager.receive() == ["READY=1", "STATUS=zwölf fps"]


def test_nobody_listening_harms_nothing(tmp_path: Path) -> None:
    notifier(str(tmp_path / "absent"))("WATCHDOG=1")


class Recorder:
    def __init__(self) -> None:
        self.messages: list[tuple[str, ...]] = []
        self.now = 100.0

    def __call__(self, *assignments: str) -> None:
        self.messages.append(assignments)


def heads(recorder: Recorder) -> list[str]:
    return [message[0] for message in recorder.messages]


def test_the_first_result_makes_ready_and_later_ones_ping_a_few_times_per_period() -> None:
    recorder = Recorder()
    alive = Heartbeat(recorder, watchdog_s=8, clock=lambda: recorder.now)
    for _ in range(9):
        alive.observe(result(frame(), fps=12.34, dropped=3))
        recorder.now += 0.5
    assert [message[:2] for message in recorder.messages] == [("READY=1", "WATCHDOG=1")] * 3
    assert recorder.messages[1][2].startswith("STATUS=12.3 fps")
    assert "3 dropped; red 50%, blue 50%" in recorder.messages[1][2]


def test_waiting_for_the_camera_asks_for_time_and_later_pings() -> None:
    recorder = Recorder()
    alive = Heartbeat(recorder, watchdog_s=60, clock=lambda: recorder.now)
    alive.beat("waiting for\n/dev/video0")
    alive.beat("too soon to say anything")
    alive.observe(result(frame()))
    recorder.now += 6
    alive.beat("reconnecting")
    assert heads(recorder) == ["EXTEND_TIMEOUT_USEC=60000000", "READY=1", "WATCHDOG=1"]
    assert recorder.messages[0][1] == "STATUS=waiting for /dev/video0"
    assert recorder.messages[2][1] == "STATUS=reconnecting"


@pytest.mark.parametrize(
    ("changed", "speaks", "interval_s"),
    [
        ({}, True, 0.1),
        ({"NOTIFY_SOCKET": ""}, False, 5.0),
        ({"NOTIFY_SOCKET": "vsock:2:1"}, False, 5.0),
        ({"WATCHDOG_PID": "8"}, True, 5.0),
        ({"WATCHDOG_PID": ""}, True, 0.1),
        ({"WATCHDOG_USEC": ""}, True, 5.0),
        ({"WATCHDOG_USEC": "60000000"}, True, 5.0),
    ],
)
def test_the_environment_is_read(manager: Manager, changed: dict, speaks: bool, interval_s: float) -> None:
    given = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000", "WATCHDOG_PID": "7", **changed}
    alive = Heartbeat.from_environment(given, pid=7)
    alive.observe(result(frame()))
    assert bool(manager.receive(0.2)) == speaks
    assert alive.interval_s == pytest.approx(interval_s)


def test_a_pipeline_that_hangs_falls_silent(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    release, invoked = threading.Event(), 0

    def answer(image):
        nonlocal invoked
        invoked += 1
        if invoked > 2:
            release.wait(30)
        return image[..., [0, 2]]

    engine = FakeEngine(red_or_blue().inputs, [spec((1, 8, 8, 2), "float32")], answer)
    segmenter = Segmenter(engine, name="fake", labels=("red", "blue"))
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000"}
    alive = Heartbeat.from_environment(environment)
    run = threading.Thread(
        target=run_pipeline, args=(_Endless(), segmenter, []), kwargs={"observers": [alive.observe], "max_frames": 6}
    )
    run.start()
    assert manager.receive()[0] == "READY=1"
    while manager.receive(0.3):
        pass  # at most the second result's
    assert manager.receive(0.8) == [], "something keeps a hung pipeline alive"
    release.set()
    assert "WATCHDOG=1" in manager.receive()
    run.join()
    manager.close()


class _Endless(ImageFiles):
    def __init__(self) -> None:
        super().__init__("endless", [])

    def __iter__(self):
        index = 0
        while True:
            yield frame(index)
            index += 1


def test_a_camera_tells_its_life(manager: Manager, tmp_path: Path) -> None:
    video = write_video(tmp_path / "in.mp4", 6000)
    environment = {**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
    command = [*PROGRAM, "camera", "--source", str(video), "--no-window"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        first = manager.receive()
        assert first[:2] == ["READY=1", "WATCHDOG=1"]
        assert "fps" in first[2]
        manager.receive_until("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        manager.receive_until("STOPPING=1")
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("source", "waits_for"),
    [
        (["--watch", "--source", "{}"], "images in"),
        (["--retries", "forever", "--source", "http://127.0.0.1:1/x"], "http:"),
    ],
)
def test_a_camera_that_waits_asks_for_time(manager: Manager, tmp_path: Path, source: list[str], waits_for: str) -> None:
    environment = {**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
    command = [*PROGRAM, "camera", "--no-window", *(word.format(tmp_path) for word in source)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        asked = manager.receive()
        process.send_signal(signal.SIGTERM)
        manager.receive_until("STOPPING=1")
    assert asked[0].startswith("EXTEND_TIMEOUT_USEC=")
    assert asked[1].startswith(f"STATUS=waiting for {waits_for}")
    assert process.returncode == 0


def test_a_camera_that_cannot_start_is_never_ready(manager: Manager, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(b"no video")
    environment = {**os.environ, "NOTIFY_SOCKET": manager.address}
    done = subprocess.run(
        [*PROGRAM, "camera", "--source", str(tmp_path / "in.mp4"), "--no-window"],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    message = manager.receive(0.2)
    assert "READY=1" not in message
