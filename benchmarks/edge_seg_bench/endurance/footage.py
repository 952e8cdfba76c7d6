"""A long video to soak the camera in."""

from pathlib import Path

import cv2
import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg.images import RgbImage

WIDTH, HEIGHT, FPS = 160, 120, 30.0
_PANORAMA_WIDTH = 4000


def write_footage(path: Path, frames: int) -> None:
    """Write a pan over a painted panorama, back and forth: no two frames in a row are the same.

    Raises:
        BenchmarkError: OpenCV cannot write videos here.
    """
    picture = panorama()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise BenchmarkError(f"{path}: OpenCV cannot write a video here; check the disk")
    span = _PANORAMA_WIDTH - WIDTH
    for index in range(frames):
        left = span - abs(index % (2 * span) - span)
        writer.write(np.ascontiguousarray(picture[:, left : left + WIDTH]))
    writer.release()


def panorama() -> RgbImage:
    """Return patches of colour that shade into each other, [120, 4000, 3] uint8, the same every time."""
    patches = np.random.default_rng(0).integers(0, 255, (6, _PANORAMA_WIDTH // 20, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(patches, (_PANORAMA_WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
