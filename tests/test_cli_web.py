"""`edge-seg camera --serve` as a user runs it."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from device_fixtures import mjpeg_server
from edge_seg.cli.web_options import page_options, read_token, split_serve
from edge_seg.errors import SinkError
from edge_seg.sinks import open_sink
from edge_seg.web.address import Address, listen
from live_camera import CLASSES, Viewer, camera, request, wait_until

PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]
WITHOUT_STARLETTE = "import sys; sys.modules['starlette'] = None; from edge_seg.cli import main; main()"


@pytest.fixture(autouse=True)
def no_token_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGE_SEG_TOKEN", raising=False)


def refused(*arguments: object, **environment: str) -> str:
    """Return the one sentence with which the camera command refuses to start."""
    command = [*PROGRAM, "camera", "--source", "absent.mp4", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--serve", "0.0.0.0:8080"], "needs a token"),
        (["--serve", "[::]:8080"], "needs a token"),
        (["--serve", "nonsense:port"], "no address to serve on"),
        (["--serve", "8080", "--token", "two words"], "one word"),
        (["--serve", "8080", "--token", "a", "--token-file", "b"], "one of them"),
        (["--serve", "8080", "--token-file", "absent"], "absent: the token cannot be read"),
        (["--serve", "8080", "--out", "http://127.0.0.1:8081"], "one address"),
        (["--token", "secret"], "--serve"),
        (["--serve", "0.0.0.0:0", "--token", "correct-horse"], "absent.mp4"),
        (["--serve", "127.0.0.1:0"], "absent.mp4"),
    ],
)
def test_what_cannot_be_served_is_one_sentence_without_the_token(arguments: list[str], says: str) -> None:
    line = refused(*arguments)
    assert says in line
    assert "two words" not in line
    assert "correct-horse" not in line


def test_without_the_extra_it_says_what_to_type() -> None:
    command = [sys.executable, "-c", WITHOUT_STARLETTE, "camera", "--serve", "8080"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip install 'edge-seg[web]'" in done.stderr


def test_token_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "token.txt"
    path.write_text("correct-horse\n")
    path.chmod(0o600)
    assert read_token(None, path) == "correct-horse"
    assert capsys.readouterr().err == ""
    path.chmod(0o644)
    assert read_token(None, path) == "correct-horse"
    assert f"chmod 600 {path}" in capsys.readouterr().err
    for content in (b"", b"\n\n", b"two\nlines", b"\xff\xfe", "tökén".encode()):
        path.write_bytes(content)
        with pytest.raises(SinkError, match=r"token\.txt"):
            read_token(None, path)


def test_the_environment_is_a_place_for_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_token(None, None) is None
    monkeypatch.setenv("EDGE_SEG_TOKEN", "from-environment")
    assert read_token(None, None) == "from-environment"
    assert read_token("from-option", None) == "from-option"
    options = page_options("0.0.0.0:8080", None, None)
    assert options is not None
    assert options.token == "from-environment"
    assert page_options(None, None, None) is None


@pytest.mark.parametrize(
    ("serve", "outs", "address", "rest"),
    [
        (None, ["e.jsonl"], None, ["e.jsonl"]),
        ("8080", ["e.jsonl"], "8080", ["e.jsonl"]),
        (None, ["e.jsonl", "http://[::1]:1"], "http://[::1]:1", ["e.jsonl"]),
        (None, ["https://host/hook"], None, ["https://host/hook"]),
        (None, ["http://host/hook"], None, ["http://host/hook"]),
    ],
)
def test_an_http_output_is_the_live_page(serve: str | None, outs: list[str], address: str | None, rest: list[str]):
    assert split_serve(serve, outs) == (address, rest)


def test_open_sink_serves_a_page_that_observes_itself() -> None:
    from device_fixtures import frame, result

    sink = open_sink("http://127.0.0.1:0", CLASSES)
    try:
        sink.write(result(frame()))
        port = int(sink.url.rstrip("/").rpartition(":")[2])  # type: ignore[attr-defined]
        assert '"frames":1,' in request(port, "/state.json", "GET", None, {}).text
        assert request(port, "/snapshot.jpg", "GET", None, {}).status == 200
    finally:
        sink.close()
    with pytest.raises(SinkError, match="needs a token"):
        open_sink("http://0.0.0.0:0", CLASSES)


def test_a_port_in_use_is_one_sentence(tmp_path: Path) -> None:
    with listen(Address("127.0.0.1", 0)) as taken, mjpeg_server(1000, interval_s=0.02) as url:
        port = taken.getsockname()[1]
        command = [*PROGRAM, "camera", "--source", url, "--no-window", "--serve", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}: the port is in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_the_command_serves_and_ends_within_two_seconds(signal_number: int, code: int) -> None:
    environment = {**os.environ, "EDGE_SEG_TOKEN": "correct-horse"}
    with mjpeg_server(100_000, interval_s=0.02) as url:
        command = [*PROGRAM, "camera", "--source", url, "--no-window", "--serve", "127.0.0.1:0"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            port = int(re.search(r"live page: http://127\.0\.0\.1:(\d+)/", line).group(1))  # type: ignore[union-attr]
            headers = {"Authorization": "Bearer correct-horse"}
            wait_until(lambda: request(port, "/snapshot.jpg", "GET", None, headers).status == 200)
            assert request(port, "/state.json", "GET", None, {}).status == 401
            assert '"frames":0,' not in request(port, "/state.json", "GET", None, headers).text
            assert '"title":' not in request(port, "/", "GET", None, headers).text
            started = time.monotonic()
            process.send_signal(signal_number)
            said = process.communicate(timeout=30)[1]
            took_s = time.monotonic() - started
    assert process.returncode == code
    assert took_s < 4  # two seconds, and slack for a machine that does other things
    assert "correct-horse" not in line + said
    assert "Traceback" not in said


def test_a_camera_reads_the_stream_of_another() -> None:
    with camera() as running:
        capture = cv2.VideoCapture(f"{running.page.url}stream.mjpeg?view=raw", cv2.CAP_FFMPEG)
        try:
            for _ in range(3):
                read, picture = capture.read()
                assert read
                assert picture.shape == (120, 160, 3)
        finally:
            capture.release()
        with Viewer(running.port, "/healthz") as viewer:
            viewer.read_until(b"live")
