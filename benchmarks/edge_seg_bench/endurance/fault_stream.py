"""A camera on the network, MJPEG over HTTP, that fails in every way on demand and shows a scripted scene."""

import http.server
import random
import socketserver
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import RgbImage

Mode = Literal["live", "unplugged", "stalled", "corrupt", "frozen", "cut off"]
STREAM_FAULTS: tuple[Mode, ...] = ("unplugged", "stalled", "corrupt", "frozen", "cut off")
_FPS = 12.0
_SHIFTS = 24
_BOUNDARY = b"--picture\r\n"


class FaultyStream:
    """Serves the pictures of one scene after the other; `mode` says how well, `scene` which."""

    def __init__(self, scenes: Mapping[str, Sequence[bytes]], scene: str, seed: int) -> None:
        self.mode: Mode = "live"
        self.scene = scene
        self._scenes, self._chance = scenes, random.Random(seed)
        stream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stream._serve(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def verify_request(self, request: Any, client_address: Any) -> bool:
                return stream.mode != "unplugged"

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/stream"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Hang up, for good."""
        self.mode = "unplugged"
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        request.end_headers()
        index, sent = 0, b""
        with suppress(BrokenPipeError, ConnectionResetError):
            while self.mode not in ("unplugged", "cut off"):
                pictures = self._scenes[self.scene]
                index += 1
                sent = sent if self.mode == "frozen" and sent else pictures[index % len(pictures)]
                if self.mode != "stalled":
                    request.wfile.write(self._part(sent))
                time.sleep(1 / _FPS)
            if self.mode == "cut off":  # in the middle of a picture
                request.wfile.write(self._part(sent)[: len(sent) // 2])

    def _part(self, jpeg: bytes) -> bytes:
        if self.mode == "corrupt":
            return self._spoilt(jpeg)
        return _BOUNDARY + b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n" % (len(jpeg), jpeg)

    def _spoilt(self, jpeg: bytes) -> bytes:
        """Return a part whose picture, length or head is wrong."""
        noise = self._chance.randbytes(len(jpeg) // 3)
        spoilt = self._chance.choice((jpeg[: len(jpeg) // 2], noise, jpeg[:200] + noise + jpeg[-200:], b""))
        length = self._chance.choice((len(spoilt), len(spoilt) + 500, 0))
        head = self._chance.choice((b"Content-Type: image/jpeg\r\n", b"", self._chance.randbytes(40) + b"\r\n"))
        return _BOUNDARY + head + b"Content-Length: %d\r\n\r\n%b\r\n" % (length, spoilt)


def shaken(image: RgbImage, width: int = 320, height: int = 240) -> list[bytes]:
    """Return JPEG pictures of one image in a hand that shakes: like all of a camera's, no two are the same."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    small = np.asarray(cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA), dtype=np.float64)
    return [_encode(np.roll(small, (index % 5, index % 7), (0, 1)), index) for index in range(_SHIFTS)]


def _encode(bgr: NDArray[np.float64], seed: int) -> bytes:
    noisy = bgr + np.random.default_rng(seed).normal(0, 3, bgr.shape)
    return cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8))[1].tobytes()
