"""The golden picture: what a new model must make of one picture before it may run."""

import base64
import binascii
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_seg.errors import UpdateError
from edge_seg.images import DECODING_ERRORS, LARGEST_PICTURE_PIXELS, ClassMap, RgbImage
from edge_seg.resampling import shrink_image
from edge_seg.segmenter import Segmenter
from edge_seg.updates.manifest import LEAST_AGREEMENT, Golden


def make_golden(segmenter: Segmenter, picture: RgbImage, least_agreement: float = LEAST_AGREEMENT) -> Golden:
    """Return a picture [height, width, 3] uint8 RGB, stretched to the network's size, with the model's answer."""
    stretched = shrink_image(picture, *segmenter.input_size)
    class_map = segmenter.segment(stretched).class_map
    return Golden(picture_png=_png(stretched), class_map_png=_png(class_map), least_agreement=least_agreement)


def golden_picture(golden: Golden) -> RgbImage:
    """Return the picture, [height, width, 3] uint8 RGB.

    Raises:
        UpdateError: it cannot be decoded.
    """
    return _decoded(golden.picture_png, "RGB")


def golden_class_map(golden: Golden) -> ClassMap:
    """Return the class ids expected, [height, width] uint8.

    Raises:
        UpdateError: they cannot be decoded.
    """
    return _decoded(golden.class_map_png, "L")


def agreement(golden: Golden, class_map: ClassMap) -> float:
    """Return the share of the pixels, 0 to 1, in which a class map [height, width] is as expected.

    Raises:
        UpdateError: the expected one cannot be decoded, or has another size.
    """
    expected = golden_class_map(golden)
    if expected.shape != class_map.shape:
        raise UpdateError(
            f"the manifest's golden picture has a class map of {expected.shape[1]}×{expected.shape[0]} pixels, but the "
            f"model gives {class_map.shape[1]}×{class_map.shape[0]}; sign the model again"
        )
    return float(np.count_nonzero(expected == class_map) / expected.size)


def _png(pixels: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _decoded(text: str, mode: str) -> NDArray[Any]:
    try:
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True)), formats=("PNG",)) as image:
            if image.mode == mode and image.width * image.height <= LARGEST_PICTURE_PIXELS:
                return np.array(image, dtype=np.uint8)
    except (binascii.Error, *DECODING_ERRORS):
        pass
    raise UpdateError("the manifest's golden picture cannot be decoded; sign the model again")
