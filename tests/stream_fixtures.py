"""Cameras on the network: an HTTP server that misbehaves as told, and an RTSP server in a process of its own."""

import base64
import hashlib
import http.server
import signal
import socketserver
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

INTERVAL_S = 0.03


def jpeg(brightness: int, height: int = 64, width: int = 96) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), brightness, np.uint8))[1].tobytes()


@dataclass
class HttpCameraServer:
    """Serves /stream (MJPEG), /shot.jpg, /moved (a redirect), /basic and /digest (for user:geheim), /refusal and
    /half-digest (nonsense)."""

    address: str = ""
    brightness: int = 50
    """Of the pictures that are sent now."""
    silent: threading.Event = field(default_factory=threading.Event)
    hang_up: threading.Event = field(default_factory=threading.Event)
    garbage: threading.Event = field(default_factory=threading.Event)
    frozen: threading.Event = field(default_factory=threading.Event)
    burst: int = 0
    """So many pictures are sent in a hurry."""
    burst_brightness: int = 0
    with_lengths: bool = True
    connections: int = 0
    index: int = 0
    content_type: str = "multipart/x-mixed-replace; boundary=frame"

    def url(self, path: str, user: str = "") -> str:
        return f"http://{user}{self.address}{path}"


class _Handler(http.server.BaseHTTPRequestHandler):
    camera: ClassVar[HttpCameraServer]

    def do_GET(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):
            self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        match self.path:
            case "/moved":
                self._head(302, Location="/stream")
            case "/shot.jpg":
                self._head(200, **{"Content-Type": "image/jpeg"})
                self.wfile.write(jpeg(self.camera.brightness))
            case "/basic" if not self._knows_basic():
                self._head(401, **{"WWW-Authenticate": 'Basic realm="cam"'})
            case "/digest" if not self._knows_digest():
                self._head(401, **{"WWW-Authenticate": 'Digest realm="cam", nonce="n1", qop="auth"'})
            case "/refusal":
                self.send_response(404, "gone \x1b[31m" + "x" * 500)
                self.end_headers()
            case "/half-digest":
                self._head(401, **{"WWW-Authenticate": "Digest realm="})
            case "/stream" | "/basic" | "/digest":
                self._stream()
            case _:
                self._head(404)

    def _head(self, code: int, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _knows_basic(self) -> bool:
        return self.headers.get("Authorization") == "Basic " + base64.b64encode(b"user:geheim").decode()

    def _knows_digest(self) -> bool:
        given = self.headers.get("Authorization", "")
        if not given.startswith("Digest "):
            return False
        parts = dict(part.strip().split("=", 1) for part in given[7:].split(","))
        value = {name: text.strip('"') for name, text in parts.items()}
        of_user = hashlib.md5(b"user:cam:geheim").hexdigest()
        of_request = hashlib.md5(b"GET:/digest").hexdigest()
        text = f"{of_user}:n1:{value['nc']}:{value['cnonce']}:auth:{of_request}"
        return value["response"] == hashlib.md5(text.encode()).hexdigest()

    def _stream(self) -> None:
        self.camera.connections += 1
        self._head(200, **{"Content-Type": self.camera.content_type})
        while not self.camera.hang_up.is_set():
            if self.camera.silent.is_set():
                time.sleep(0.02)
                continue
            while self.camera.burst > 0:
                self.camera.burst -= 1
                self._part(jpeg(self.camera.burst_brightness))
                time.sleep(INTERVAL_S / 8)  # slow enough for a quick reader to see each
            self.camera.index += 0 if self.camera.frozen.is_set() else 1
            self._part(b"no picture at all" * 20 if self.camera.garbage.is_set() else _marked(self.camera))
            time.sleep(INTERVAL_S)

    def _part(self, body: bytes) -> None:
        length = f"Content-Length: {len(body)}\r\n" if self.camera.with_lengths else ""
        self.wfile.write(f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + body + b"\r\n")


def _marked(camera: HttpCameraServer) -> bytes:
    """A picture that differs from the one before: a stripe moves through its lower half."""
    image = np.full((64, 96, 3), camera.brightness, np.uint8)
    left = 8 * (camera.index % 12)
    image[32:, left : left + 8] = 255
    return cv2.imencode(".jpg", image)[1].tobytes()


@contextmanager
def http_camera(**settings: object) -> Iterator[HttpCameraServer]:
    camera = HttpCameraServer(**settings)  # type: ignore[arg-type]
    handler = type("Handler", (_Handler,), {"camera": camera})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        camera.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield camera
        finally:
            camera.hang_up.set()
            server.shutdown()
            thread.join()


SYSTEM_PYTHON = Path("/usr/bin/python3")
_RTSP_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=25/1 "
    "! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 threads=1 ! rtph264pay name=pay0 pt=96 )"
)
factory.set_shared(True)
server.get_mount_points().add_factory("/test", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""


class RtspServer:
    """gst-rtsp-server with a moving ball at rtsp://127.0.0.1:PORT/test."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/test"

    def start(self) -> None:
        command = [str(SYSTEM_PYTHON), "-c", _RTSP_SERVER, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin"})
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.communicate()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


@contextmanager
def rtsp_server() -> Iterator[RtspServer]:
    """Skip where gst-rtsp-server is not installed."""
    check = [str(SYSTEM_PYTHON), "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"]
    if not SYSTEM_PYTHON.exists() or subprocess.run(check, capture_output=True, check=False).returncode != 0:
        pytest.skip("gst-rtsp-server is not installed: apt install python3-gi gir1.2-gst-rtsp-server-1.0")
    server = RtspServer()
    try:
        yield server
    finally:
        server.kill()
