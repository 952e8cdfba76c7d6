"""JPEG pictures that cameras send, decoded to RGB."""

import io

import cv2
import numpy as np
from PIL import Image

from edge_seg.errors import ImageError
from edge_seg.images import DECODING_ERRORS, LARGEST_PICTURE_PIXELS, RgbImage

_START = b"\xff\xd8"


def decode_jpeg(data: bytes) -> RgbImage:
    """Decode a JPEG file's bytes to uint8 RGB [height, width, 3].

    Raises:
        ImageError: no JPEG, damaged beyond decoding, or of more pixels than any camera's.
    """
    if not data.startswith(_START):
        raise ImageError(f"no JPEG, it starts with {data[:4].hex(' ') or 'nothing'}")
    width, height = _size(data)
    if width * height > LARGEST_PICTURE_PIXELS:
        raise ImageError(f"{width}×{height} pixels are more than a camera's")
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise ImageError("a JPEG that cannot be decoded")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, bgr), np.uint8)


def _size(data: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            return image.size
    except DECODING_ERRORS:
        raise ImageError("a JPEG with a damaged header") from None
