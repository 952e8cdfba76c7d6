"""A contact sheet: many pictures on one page, with captions and a legend of classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_seg.classes import SegmentationClass
from edge_seg.images import RgbImage
from edge_seg.resampling import shrink_image

_PAPER, _INK, _FAINT = (245, 245, 246), (38, 38, 42), (118, 118, 124)
_TALLEST_ROW = 1.6  # in tile widths, so that a row of portraits does not fill the page


@dataclass(frozen=True)
class _Style:
    """Measures in pixels, all in proportion to the width of a tile."""

    columns: int
    tile_width: int

    @property
    def margin(self) -> int:
        return max(12, self.tile_width // 10)

    @property
    def gap(self) -> int:
        return max(6, self.tile_width // 20)

    @property
    def text(self) -> int:
        return max(11, self.tile_width // 18)

    @property
    def line(self) -> int:
        return round(self.text * 1.9)

    @property
    def inner_width(self) -> int:
        return self.columns * self.tile_width + (self.columns - 1) * self.gap

    @property
    def tallest(self) -> int:
        return int(_TALLEST_ROW * self.tile_width)

    @property
    def font(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(size=self.text)

    @property
    def small_font(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        return ImageFont.load_default(size=0.85 * self.text)


@dataclass(frozen=True)
class _Placed:
    """One tile at its place on the page."""

    number: int
    left: int
    top: int
    width: int
    height: int


def tile(picture: RgbImage, tile_width: int) -> RgbImage:
    """Shrink a picture, RGB uint8 [h, w, 3], to the most that a sheet of this tile width can show of it.

    Tiles take little memory however large the pictures are. None is enlarged.
    """
    height, width = picture.shape[:2]
    tallest = _Style(1, tile_width).tallest
    if height <= tallest:
        return picture
    return shrink_image(picture, tallest, max(1, round(width * tallest / height)))


def contact_sheet(
    tiles: Sequence[RgbImage],
    columns: int,
    tile_width: int,
    captions: Sequence[str] | None = None,
    legend: Sequence[SegmentationClass] = (),
    note: str = "",
) -> RgbImage:
    """Lay pictures out in rows of one height each, whole and undistorted.

    Args:
        tiles: pictures, RGB uint8 [h, w, 3], of any sizes; at least one.
        columns: pictures per row.
        tile_width: mean width of a picture on the page, in pixels.
        captions: a line under each picture, shortened to its width.
        legend: classes to name underneath; a background, which overlays leave undrawn, gets a hollow box.
        note: a sentence at the very bottom, e.g. whose pictures these are.

    Returns:
        RGB uint8 [height, width, 3]; the width depends on `columns` and `tile_width` alone.

    Raises:
        ValueError: no tile, fewer than one column, or captions that are not one per tile.
    """
    if not tiles or columns < 1 or (captions is not None and len(captions) != len(tiles)):
        raise ValueError(f"{len(tiles)} tiles, {columns} columns, {captions and len(captions)} captions do not fit")
    style = _Style(columns, tile_width)
    placed, bottom = _layout(tiles, style, captioned=captions is not None)
    entries, bottom = _legend_layout(legend, style, bottom)
    lines, bottom = _note_layout(note, style, bottom)
    page = Image.new("RGB", (style.inner_width + 2 * style.margin, bottom + style.margin), _PAPER)
    draw = ImageDraw.Draw(page)
    for place in placed:
        picture = Image.fromarray(tiles[place.number])
        page.paste(picture.resize((place.width, place.height), Image.Resampling.LANCZOS), (place.left, place.top))
        if captions is not None:
            _draw_caption(draw, captions[place.number], place, style)
    for item, left, top in entries:
        _draw_legend_entry(draw, item, left, top, style)
    for text, top in lines:
        draw.text((style.margin, top), text, fill=_FAINT, font=style.small_font)
    return np.asarray(page, dtype=np.uint8).copy()


def _layout(tiles: Sequence[RgbImage], style: _Style, *, captioned: bool) -> tuple[list[_Placed], int]:
    """Place every tile; return them and where the last row ends."""
    aspects = [tile.shape[1] / tile.shape[0] for tile in tiles]
    placed: list[_Placed] = []
    top, right = style.margin, style.margin + style.inner_width
    for first in range(0, len(tiles), style.columns):
        row = aspects[first : first + style.columns]
        height = _row_height(row, style, typical=float(np.median(aspects)))
        fills = len(row) == style.columns and height < style.tallest
        left = style.margin
        for number, aspect in enumerate(row, start=first):
            width = max(1, round(height * aspect))
            if fills and number == first + style.columns - 1:
                width = right - left  # rounding must not leave a ragged edge
            placed.append(_Placed(number, left, top, width, height))
            left += width + style.gap
        top += height + (style.line if captioned else style.gap)
    return placed, top - (0 if captioned else style.gap)


def _row_height(aspects: Sequence[float], style: _Style, *, typical: float) -> int:
    """The height at which the row fills the page; a short row counts absent tiles as typical ones."""
    absent = style.columns - len(aspects)
    pixels = style.inner_width - (style.columns - 1) * style.gap
    height = pixels / (sum(aspects) + absent * typical)
    return max(1, min(int(height), style.tallest))


def _draw_caption(draw: ImageDraw.ImageDraw, text: str, place: _Placed, style: _Style) -> None:
    font = style.small_font
    if draw.textlength(text, font) > place.width:
        while text and draw.textlength(text + "…", font) > place.width:
            text = text[:-1]
        text += "…"
    top = place.top + place.height + style.text * 0.35
    draw.text((place.left, top), text, fill=_FAINT, font=font)


def _legend_layout(
    legend: Sequence[SegmentationClass], style: _Style, top: int
) -> tuple[list[tuple[SegmentationClass, int, int]], int]:
    """Place the legend's entries, wrapped to the page; return them and where they end."""
    if not legend:
        return [], top
    left, top = style.margin, top + style.gap
    entries: list[tuple[SegmentationClass, int, int]] = []
    for item, width in zip(legend, _entry_widths(legend, style), strict=True):
        if left > style.margin and left + width > style.margin + style.inner_width:
            left, top = style.margin, top + style.line
        entries.append((item, left, top))
        left += width + 2 * style.text
    return entries, top + style.text


def _entry_widths(legend: Sequence[SegmentationClass], style: _Style) -> Iterator[int]:
    font = style.font
    for item in legend:
        yield round(style.text * 1.6 + font.getlength(item.name))


def _note_layout(note: str, style: _Style, top: int) -> tuple[list[tuple[str, int]], int]:
    """Break a note into lines that fit the page; return them with their tops, and where they end."""
    lines: list[str] = []
    for word in note.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and style.small_font.getlength(longer) <= style.inner_width:
            lines[-1] = longer
        else:
            lines.append(word)
    tops = [top + style.gap + number * style.line for number in range(len(lines))]
    return list(zip(lines, tops, strict=True)), tops[-1] + style.text if lines else top


def _draw_legend_entry(draw: ImageDraw.ImageDraw, item: SegmentationClass, left: int, top: int, style: _Style) -> None:
    box = (left, top, left + style.text, top + style.text)
    fill = None if item.is_background else item.rgb
    draw.rounded_rectangle(box, radius=style.text // 4, fill=fill, outline=_FAINT if fill is None else fill)
    middle = top + style.text / 2
    draw.text((left + style.text * 1.6, middle), item.name, fill=_INK, font=style.font, anchor="lm")
