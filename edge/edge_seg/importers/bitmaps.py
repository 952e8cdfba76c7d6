"""Regions that annotations store as pixels: COCO's and CVAT's run lengths, LabelMe's PNG."""

import binascii
import re
import warnings
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from edge_seg.errors import AnnotationError
from edge_seg.extras import require_module
from edge_seg.images import DECODING_ERRORS, ClassMap
from edge_seg.importers.wording import shown

# Digits of six bits from '0': all but the last of a number carry the bit 0x20, and a picture needs at most six.
_COMPRESSED_NUMBER = re.compile(r"[P-o]{0,6}[0-O]")
_COMPRESSED_COUNTS = re.compile(f"(?:{_COMPRESSED_NUMBER.pattern})+")


@dataclass(frozen=True)
class RunLengths:
    """COCO's mask: lengths of alternating runs of 0 and 1 down the columns, 0 first.

    `counts` is a tuple of ints, or the compressed text of pycocotools. `size` is (height, width).
    """

    counts: tuple[int, ...] | str
    size: tuple[int, int]

    def paint(self, class_map: ClassMap, class_id: int, where: str) -> None:
        """Paint the ones into `class_map` (uint8 [h, w]) in place.

        Raises:
            AnnotationError: the mask has another size than the picture, or counts that do not add up to it.
            MissingExtraError: pycocotools is not installed.
        """
        require_module("pycocotools", extra="data", purpose="decoding COCO's run lengths")
        coco: Any = import_module("pycocotools.mask")
        if self.size != class_map.shape:
            (height, width), (picture_height, picture_width) = self.size, class_map.shape
            raise AnnotationError(
                f"{where}: its mask is {shown(width)}×{shown(height)} but the picture is "
                f"{picture_width}×{picture_height}; use the pictures the annotation was made on"
            )
        counts = self.counts if isinstance(self.counts, tuple) else _decompressed(self.counts, where)
        _check_sum(counts, class_map.size, where)
        height, width = self.size
        run_lengths = coco.frPyObjects({"counts": list(counts), "size": [height, width]}, height, width)
        class_map[coco.decode(run_lengths) > 0] = class_id


def _decompressed(text: str, where: str) -> tuple[int, ...]:
    """Read pycocotools' text (github.com/cocodataset/cocoapi, common/maskApi.c: rleFrString), to be checked.

    Its C code reads past the end of a malformed text, and leaves memory unset where the runs end too early.
    """
    if not _COMPRESSED_COUNTS.fullmatch(text):
        raise AnnotationError(
            f"{where}: its run lengths '{shown(text, 40)}' are not pycocotools' text; export the annotations again"
        )
    counts: list[int] = []
    for number in _COMPRESSED_NUMBER.findall(text):
        digits = [ord(digit) - ord("0") for digit in number]
        value = sum((digit & 31) << 5 * place for place, digit in enumerate(digits))
        if digits[-1] & 16:
            value -= 1 << 5 * len(digits)
        counts.append(value + counts[-2] if len(counts) > 2 else value)  # from the fourth on, differences
    return tuple(counts)


def _check_sum(counts: Sequence[int], pixels: int, where: str) -> None:
    """Raise AnnotationError unless the runs add up to that many pixels."""
    if sum(counts) != pixels or min(counts) < 0:
        raise AnnotationError(
            f"{where}: its run lengths add up to {shown(sum(counts), 20)}, not to {pixels} pixels, or one of them is "
            "negative; export the annotations again"
        )


@dataclass(frozen=True)
class BoxRunLengths:
    """CVAT's mask: lengths of alternating runs of 0 and 1 along the rows of a box, 0 first.

    See https://docs.cvat.ai/docs/manual/advanced/xml_format/ for `rle`.
    """

    counts: tuple[int, ...]
    left: int
    top: int
    width: int
    height: int

    def paint(self, class_map: ClassMap, class_id: int, where: str) -> None:
        """Paint the ones into `class_map` (uint8 [h, w]) in place.

        Raises:
            AnnotationError: the box is not inside the picture, or the counts do not add up to it.
        """
        _check_box(class_map, self.left, self.top, self.width, self.height, where)
        _check_sum(self.counts, self.width * self.height, where)
        ones = np.repeat(np.arange(len(self.counts)) % 2 > 0, self.counts).reshape(self.height, self.width)
        class_map[self.top : self.top + self.height, self.left : self.left + self.width][ones] = class_id


@dataclass(frozen=True)
class PngMask:
    """LabelMe's mask: a PNG in base64, with its left upper corner in the picture."""

    text: str
    left: int
    top: int

    def paint(self, class_map: ClassMap, class_id: int, where: str) -> None:
        """Paint its pixels that are not 0 into `class_map` (uint8 [h, w]) in place.

        Raises:
            AnnotationError: not a PNG in base64, or not inside the picture.
        """
        try:
            with (
                warnings.catch_warnings(action="ignore"),
                Image.open(BytesIO(b64decode(self.text, validate=True)), formats=["PNG"]) as image,
            ):
                _check_box(class_map, self.left, self.top, *image.size, where)
                ones = np.asarray(image.convert("L")) > 0
        except (binascii.Error, *DECODING_ERRORS) as error:
            raise AnnotationError(
                f"{where}: its mask is no PNG in base64 ({shown(error)}); export the annotations again"
            ) from None
        height, width = ones.shape
        class_map[self.top : self.top + height, self.left : self.left + width][ones] = class_id


def _check_box(class_map: ClassMap, left: int, top: int, width: int, height: int, where: str) -> None:
    picture_height, picture_width = class_map.shape
    if width < 1 or height < 1 or left < 0 or top < 0 or left + width > picture_width or top + height > picture_height:
        raise AnnotationError(
            f"{where}: its mask of {shown(width)}×{shown(height)} at ({shown(left)}, {shown(top)}) is not inside the "
            f"picture, which is {picture_width}×{picture_height}; use the pictures the annotation was made on"
        )
