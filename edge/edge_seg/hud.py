"""The head-up display of the camera: numbers and a legend in a dark box on the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edge_seg.classes import SegmentationClass
from edge_seg.drawing import DEFAULT_OPACITY
from edge_seg.images import RgbImage
from edge_seg.result import Result
from edge_seg.sinks import Painter, overlay_painter

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE = (255, 255, 255)
_BOX_DARKNESS = 0.65
_LEGEND_SHARE = 0.001


@dataclass(frozen=True)
class HudRow:
    """One line of the box, with a colour swatch before it or none."""

    text: str
    colour: tuple[int, int, int] | None = None


def draw_hud(image: RgbImage, rows: Sequence[HudRow]) -> RgbImage:
    """Draw rows of text in a dark translucent box at the top left.

    Args:
        image: [h, w, 3] uint8 RGB, left untouched; text grows with its height.
        rows: from top to bottom.
    """
    drawn = image.copy()
    scale = max(image.shape[0], 240) / 900 + 0.1
    line = round(34 * scale)
    swatches = any(row.colour for row in rows)
    text_left = round(line * (1.5 if swatches else 0.5))
    width = text_left + max(_text_width(row.text, scale) for row in rows) + line // 2
    _darken(drawn, min(width, image.shape[1]), min(line * len(rows) + line // 2, image.shape[0]))
    for index, row in enumerate(rows):
        _draw_row(drawn, row, line * (index + 1), text_left if row.colour else line // 2, scale)
    return drawn


def status_rows(result: Result) -> list[HudRow]:
    """Return the rows of a live picture: rate, latency, age, drops, then the share of each class to be seen."""
    segmentation = result.segmentation
    rate = f"{result.fps:.1f} fps   {segmentation.latency_ms:.1f} ms"
    if result.age_ms > 0:
        rate += f"   age {result.age_ms:.0f} ms"
    shares = segmentation.area_share
    legend = [
        HudRow(f"{item.name} {shares[item.name]:.1%}", item.rgb)
        for item in segmentation.classes
        if shares[item.name] >= _LEGEND_SHARE or len(segmentation.classes) <= 4
    ]
    return [HudRow(f"{rate}   {result.dropped} dropped" if result.dropped else rate), *legend]


def hud_painter(classes: Sequence[SegmentationClass], opacity: float = DEFAULT_OPACITY) -> Painter:
    """Return a painter of class colours over the frame with the head-up display."""
    paint = overlay_painter(classes, opacity)
    return lambda result: draw_hud(paint(result), status_rows(result))


def _text_width(text: str, scale: float) -> int:
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    return int(width)


def _darken(image: RgbImage, width: int, height: int) -> None:
    box = image[:height, :width]
    box[:] = np.asarray(cv2.convertScaleAbs(box, alpha=1 - _BOX_DARKNESS))


def _draw_row(image: RgbImage, row: HudRow, baseline: int, left: int, scale: float) -> None:
    if row.colour is not None:
        size = round(20 * scale)
        corner = (round(17 * scale), baseline - size)
        cv2.rectangle(image, corner, (corner[0] + size, baseline), row.colour, cv2.FILLED)
        cv2.rectangle(image, corner, (corner[0] + size, baseline), _WHITE, 1)
    cv2.putText(image, row.text, (left, baseline), _FONT, scale, _WHITE, 1, cv2.LINE_AA)
