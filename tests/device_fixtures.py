"""Engines, frames, videos and servers that the device tests build on."""

import http.server
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_seg.result import Result
from edge_seg.runtimes import Operation, TensorSpec
from edge_seg.segmenter import Segmentation, Segmenter
from edge_seg.sources import Frame


def spec(
    shape: Sequence[int], dtype: str = "uint8", scale: float = 0.0, zero_point: int = 0, name: str = "t"
) -> TensorSpec:
    return TensorSpec(name, tuple(shape), np.dtype(dtype), scale, zero_point)


class FakeEngine:
    """An Engine whose answer is a function of its input."""

    tensors: tuple[TensorSpec, ...] = ()
    operations: tuple[Operation, ...] = ()

    def __init__(
        self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], answer: Callable[[Any], Any]
    ) -> None:
        self.inputs, self.outputs = tuple(inputs), tuple(outputs)
        self._answer = answer
        self.received: Any = None

    def set_input(self, tensor: Any) -> None:
        assert tensor.shape == self.inputs[0].shape
        assert tensor.dtype == self.inputs[0].dtype
        self.received = tensor

    def invoke(self) -> None:
        self._result = np.asarray(self._answer(self.received))

    def output(self, index: int = 0) -> Any:
        assert index == 0
        return self._result.reshape(self.outputs[0].shape).astype(self.outputs[0].dtype)


def red_or_blue(size: int = 8) -> FakeEngine:
    """A uint8 model of two classes: the score of class 0 is the red channel, of class 1 the blue one."""
    return FakeEngine(
        [spec((1, size, size, 3))],
        [spec((1, size, size, 2), "float32")],
        lambda image: image[..., [0, 2]],
    )


def red_or_blue_segmenter() -> Segmenter:
    return Segmenter(red_or_blue(), name="fake", labels=("red", "blue"))


def half_red_half_blue(height: int = 32, width: int = 48) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2, 0] = 255
    image[:, width // 2 :, 2] = 255
    return image


def frame(index: int = 0, name: str | None = None, image: np.ndarray | None = None) -> Frame:
    picture = half_red_half_blue() if image is None else image
    return Frame(picture, index, 1_700_000_000.0 + index / 10, name or f"f_{index:06d}")


def result(item: Frame, **numbers: float) -> Result:
    return Result(item, segmented(item), **numbers)  # type: ignore[arg-type]


def segmented(item: Frame) -> Segmentation:
    return red_or_blue_segmenter().segment(item.image)


def write_video(path: Path, count: int, fps: float = 20.0, height: int = 64, width: int = 96) -> Path:
    """Write red frames (in RGB) that brighten with their index."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    for index in range(count):
        writer.write(np.full((height, width, 3), (0, 0, 100 + index), np.uint8))
    writer.release()
    return path


@contextmanager
def mjpeg_server(frames: int, interval_s: float = 0.0) -> Iterator[str]:
    """Serve `frames` JPEG pictures as multipart/x-mixed-replace, one every `interval_s`, then hang up."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            for index in range(frames):
                picture = np.full((64, 96, 3), (0, 0, 100 + index), np.uint8)
                jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
                time.sleep(interval_s)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                except (BrokenPipeError, ConnectionResetError):
                    return

        def log_message(self, *_: object) -> None:
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/stream"
        finally:
            server.shutdown()
            thread.join()
