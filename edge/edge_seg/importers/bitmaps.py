"""Regions that annotations store as pixels: COCO's and CVAT's run lengths, LabelMe's PNG."""

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_seg.errors import AnnotationError
from edge_seg.extras import require_extra
from edge_seg.images import ClassMap

# Digits of six bits from '0': all but the last of a number carry the bit 0x20, and a picture needs at most six.
_COMPRESSED_COUNTS = re.compile(r"(?:[P-o]{0,6}[0-O])+")


@dataclass(frozen=True)
class RunLengths:
    """COCO's mask: lengths of alternating runs of 0 and 1 down the columns, 0 first.

    `counts` is a tuple of ints, or the compressed text of pycocotools (github.com/cocodataset/cocoapi,
    common/maskApi.c). `size` is (height, width).
    """

    counts: tuple[int, ...] | str
    size: tuple[int, int]

    def paint(self, class_map: ClassMap, class_id: int, where: str) -> None:
        """Paint the ones into `class_map` (uint8 [h, w]) in place.

        Raises:
            AnnotationError: the mask has another size than the picture, or counts that do not add up to it.
            MissingExtraError: pycocotools is not installed.
        """
        if self.size != class_map.shape:
            (height, width), (picture_height, picture_width) = self.size, class_map.shape
            raise AnnotationError(
                f"{where}: its mask is {width}×{height} but the picture is {picture_width}×{picture_height}; "
                "use the pictures the annotation was made on"
            )
        class_map[_decoded(self._run_lengths(where), where) > 0] = class_id

    def _run_lengths(self, where: str) -> dict[str, Any]:
        """Return pycocotools' form of the mask, checked: its C code reads past the end of a malformed one."""
        require_extra("data", purpose="decoding COCO's run lengths")
        coco: Any = import_module("pycocotools.mask")
        height, width = self.size
        if isinstance(self.counts, tuple):
            if sum(self.counts) != height * width or min(self.counts) < 0:
                raise AnnotationError(
                    f"{where}: its run lengths add up to {sum(self.counts)}, not to the {height * width} pixels "
                    f"of {width}×{height}; export the annotations again"
                )
            return coco.frPyObjects({"counts": list(self.counts), "size": [height, width]}, height, width)
        if not _COMPRESSED_COUNTS.fullmatch(self.counts):
            raise AnnotationError(
                f"{where}: its run lengths {self.counts!r:.40} are not pycocotools' text; export the annotations again"
            )
        return {"counts": self.counts.encode(), "size": [height, width]}


def _decoded(run_lengths: dict[str, Any], where: str) -> NDArray[np.uint8]:
    coco: Any = import_module("pycocotools.mask")
    try:
        return coco.decode(run_lengths)
    except ValueError:
        raise AnnotationError(
            f"{where}: its run lengths do not add up to a picture of that size; export the annotations again"
        ) from None


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
        if sum(self.counts) != self.width * self.height or min(self.counts) < 0:
            raise AnnotationError(
                f"{where}: its run lengths add up to {sum(self.counts)}, not to the "
                f"{self.width * self.height} pixels of its box; export the annotations again"
            )
        values = np.arange(len(self.counts)) % 2 > 0
        ones = np.repeat(values, self.counts).reshape(self.height, self.width)
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
            with Image.open(BytesIO(b64decode(self.text, validate=True)), formats=["PNG"]) as image:
                _check_box(class_map, self.left, self.top, *image.size, where)
                ones = np.asarray(image.convert("L")) > 0
        except (binascii.Error, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise AnnotationError(
                f"{where}: its mask is no PNG in base64 ({error!s:.80}); export the annotations again"
            ) from None
        height, width = ones.shape
        class_map[self.top : self.top + height, self.left : self.left + width][ones] = class_id


def _check_box(class_map: ClassMap, left: int, top: int, width: int, height: int, where: str) -> None:
    picture_height, picture_width = class_map.shape
    if width < 1 or height < 1 or left < 0 or top < 0 or left + width > picture_width or top + height > picture_height:
        raise AnnotationError(
            f"{where}: its mask of {width}×{height} at ({left}, {top}) is not inside the picture, which is "
            f"{picture_width}×{picture_height}; use the pictures the annotation was made on"
        )
