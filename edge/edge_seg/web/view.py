"""What a viewer chose to see, and how it is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from edge_seg.classes import SegmentationClass
from edge_seg.drawing import DEFAULT_OPACITY, draw_overlay
from edge_seg.images import ClassMap, RgbImage, encode_jpeg
from edge_seg.resampling import shrink_image
from edge_seg.result import Result

Kind = Literal["overlay", "raw", "mask"]

NARROWEST, WIDEST = 64, 4096
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class View:
    """One way to see a result. Equal views are the same picture, which is then made once."""

    kind: Kind = "overlay"
    opacity: float = DEFAULT_OPACITY
    """Share of the class colours, 0 to 1."""
    class_ids: tuple[int, ...] | None = None
    """The classes to draw; None for all."""
    width: int | None = None
    """Widest picture, pixels; None for the frame's own width."""


def parse_view(query: Mapping[str, str], classes: Sequence[SegmentationClass]) -> View:
    """Read view=overlay|raw|mask, opacity=0..1, classes=0,2 and width=pixels from a query.

    Raises:
        ValueError: a sentence that names the parameter, the value seen and what is allowed.
    """
    kind = _kind(query.get("view", "overlay"))
    return View(
        kind=kind,
        opacity=_opacity(query.get("opacity", str(DEFAULT_OPACITY))) if kind == "overlay" else DEFAULT_OPACITY,
        class_ids=_class_ids(query.get("classes"), classes) if kind != "raw" else None,
        width=_width(query.get("width")),
    )


def draw_view(result: Result, view: View) -> RgbImage:
    """Draw a result, uint8 RGB, no wider than the view asks."""
    image, class_map = _shrunk(result.frame.image, result.segmentation.class_map, view.width)
    classes = [item for item in result.segmentation.classes if view.class_ids is None or item.id in view.class_ids]
    if view.kind == "raw":
        return image
    if view.kind == "mask":
        return _colours(class_map, classes)
    return draw_overlay(image, class_map, classes, view.opacity)


def encode_view(result: Result, view: View) -> bytes:
    """Draw a result and encode it as a JPEG."""
    return encode_jpeg(draw_view(result, view), _JPEG_QUALITY)


def _shrunk(image: RgbImage, class_map: ClassMap, width: int | None) -> tuple[RgbImage, ClassMap]:
    height, own_width = image.shape[:2]
    if width is None or width >= own_width:
        return image, class_map
    size = max(1, round(height * width / own_width)), width
    smaller = cv2.resize(class_map, size[::-1], interpolation=cv2.INTER_NEAREST)
    return shrink_image(image, *size), np.asarray(smaller, np.uint8)


def _colours(class_map: ClassMap, classes: Sequence[SegmentationClass]) -> RgbImage:
    palette = np.zeros((256, 3), np.uint8)
    for item in classes:
        palette[item.id] = item.rgb
    return palette[class_map]


def _kind(text: str) -> Kind:
    for kind in get_args(Kind):
        if text == kind:
            return kind
    raise ValueError(f"view={text[:20]} is unknown; it is overlay, raw or mask")


def _opacity(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:  # nor nan
        raise ValueError(f"opacity={text[:20]} is out of range; it is a number from 0 to 1")
    return round(value, 2)


def _class_ids(text: str | None, classes: Sequence[SegmentationClass]) -> tuple[int, ...] | None:
    if text is None:
        return None
    known = {str(item.id): item.id for item in classes}
    words = [word for word in text.split(",") if word]
    unknown = [word for word in words if word not in known]
    if unknown:
        raise ValueError(f"classes={unknown[0][:20]} is unknown; ids go from 0 to {len(classes) - 1}, as in 0,1")
    return tuple(sorted({known[word] for word in words}))


def _width(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and NARROWEST <= int(text) <= WIDEST):
        raise ValueError(f"width={text[:20]} is out of range; it is {NARROWEST} to {WIDEST} pixels")
    return int(text)
