"""A camera that runs for ever with a live page, and small HTTP clients for it."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from device_fixtures import red_or_blue_segmenter
from edge_seg.model_identity import ModelIdentity
from edge_seg.pipeline import run_pipeline
from edge_seg.sources import Frame
from edge_seg.telemetry import Board, Telemetry
from edge_seg.web.address import Address
from edge_seg.web.live_page import LivePage

CLASSES = red_or_blue_segmenter().classes


def moving_picture(index: int, height: int = 120, width: int = 160) -> np.ndarray:
    """Red at the left and blue at the right of an edge that wanders, with some texture, so that JPEGs have a size."""
    image = np.zeros((height, width, 3), np.uint8)
    edge = width // 4 + index * 4 % (width // 2)
    image[:, :edge, 0] = 255
    image[:, edge:, 2] = 255
    image[:, :, 1] = np.random.default_rng(index % 7).integers(0, 60, (height, width))
    return image


@dataclass
class LoopingSource:
    """Gives moving pictures at a steady rate until `stop`; `silent` makes it give none for a while."""

    stop: threading.Event
    rate: float = 50.0
    height: int = 120
    width: int = 160
    name: str = "gate"
    live: bool = True
    frame_count: int | None = None
    fps: float | None = None
    silent: threading.Event = field(default_factory=threading.Event)

    def __iter__(self) -> Iterator[Frame]:
        pictures = [moving_picture(index, self.height, self.width) for index in range(40)]
        index = 0
        while not self.stop.wait(1 / self.rate):
            if not self.silent.is_set():
                yield Frame(pictures[index % 40], index, time.time(), f"f{index}")
            index += 1

    def close(self) -> None:
        pass


@dataclass
class Camera:
    page: LivePage
    telemetry: Telemetry
    source: LoopingSource

    @property
    def port(self) -> int:
        return int(self.page.url.rstrip("/").rpartition(":")[2])

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> "Answer":
        return request(self.port, path, method, body, {k.replace("_", "-"): v for k, v in headers.items()})

    @property
    def frames(self) -> int:
        return self.telemetry.state().frames


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def request(port: int, path: str, method: str, body: bytes | None, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


@contextmanager
def camera(*, token: str | None = None, host: str = "127.0.0.1", port: int = 0, **source: float) -> Iterator[Camera]:
    """Run a camera with a live page on a free port until the block ends."""
    stop = threading.Event()
    telemetry = Telemetry(
        [item.name for item in CLASSES],
        model=ModelIdentity("fake", "a" * 64),
        board=Board(lambda: 61.5, lambda: ("under-voltage now",)),
    )
    page = LivePage(Address(host, port), CLASSES, telemetry, token=token, title="gate")
    looping = LoopingSource(stop, **source)  # type: ignore[arg-type]
    thread = threading.Thread(
        target=run_pipeline,
        args=(looping, red_or_blue_segmenter(), [page]),
        kwargs={"observers": [telemetry.observe], "stop": stop},
    )
    thread.start()
    try:
        wait_until(lambda: telemetry.state().frames > 0)
        yield Camera(page, telemetry, looping)
    finally:
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()


def wait_until(holds, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Viewer:
    """A client of an endless answer, on a bare socket; reads only when asked to."""

    def __init__(self, port: int, path: str, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(15)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.seen = b""

    def read_until(self, what: bytes, count: int = 1) -> bytes:
        while self.seen.count(what) < count:
            data = self.socket.recv(65536)
            assert data, "the answer ended"
            self.seen += data
        return self.seen

    def read_to_end(self) -> bytes:
        try:
            while data := self.socket.recv(65536):
                self.seen += data
        except ConnectionResetError:
            pass
        return self.seen

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Viewer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
