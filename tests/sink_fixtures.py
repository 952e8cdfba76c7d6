"""Results to write and recordings to read back."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edge_seg.classes import make_classes
from edge_seg.result import Result
from edge_seg.segmenter import Segmentation
from edge_seg.sinks import Rotation, SinkOptions, overlay_painter
from edge_seg.sources import Frame

CLASSES = make_classes(("background", "fire", "smoke"))
BEGIN_S = 1_764_068_700.0  # 2025-11-25T11:05:00Z


def shapes(seed: int = 0, height: int = 48, width: int = 64) -> np.ndarray:
    """A class map with a ring, what lies in its hole, specks and a region at the border."""
    class_map = np.zeros((height, width), np.uint8)
    x = seed % 20
    cv2.circle(class_map, (x + 20, 22), 14, 1, cv2.FILLED)
    cv2.circle(class_map, (x + 20, 22), 8, 0, cv2.FILLED)
    cv2.circle(class_map, (x + 20, 22), 4, 2, cv2.FILLED)
    cv2.rectangle(class_map, (0, height - 8), (x + 5, height), 2, cv2.FILLED)
    class_map[2, min(2 + x, width - 1)] = 1
    return class_map


def seen(index: int, at_s: float | None = None, *, size: tuple[int, int] = (48, 64), name: str = "") -> Result:
    """A result whose picture is as bright as `level` says; frames of a camera come a tenth of a second apart."""
    after_s = index / 10 if at_s is None else at_s
    image = np.full((*size, 3), level(index), np.uint8)
    frame = Frame(image, index, BEGIN_S + after_s, name or f"camera0_{index:06d}", 5000.0 + after_s)
    return Result(frame, Segmentation(shapes(index, *size), CLASSES, 1.0, 2.0, 3.0))


def level(index: int) -> int:
    """Brightness of a frame: far enough from its neighbours' for an encoder to keep them apart."""
    return 10 + 40 * index % 241


def plain(result: Result) -> np.ndarray:
    """Paint nothing over the frame, so that a recording can be compared with it."""
    return result.frame.image.copy()


def live(rotation: Rotation | None = None, *, overlays: bool = False) -> SinkOptions:
    paint = overlay_painter(CLASSES) if overlays else plain
    return SinkOptions(paint, live=True, rotation=rotation or Rotation())


def video_frames(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """Give (seconds, RGB) of every frame that can be read."""
    capture = cv2.VideoCapture(str(path))
    while True:
        arrived, bgr = capture.read()
        if not arrived:
            break
        yield capture.get(cv2.CAP_PROP_POS_MSEC) / 1000, bgr[..., ::-1]
    capture.release()


def levels(path: Path) -> list[int]:
    """Return the brightness of every frame of a video."""
    return [round(float(image.mean())) for _, image in video_frames(path)]
