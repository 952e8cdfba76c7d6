"""LabelMe (https://github.com/wkentaro/labelme): one JSON file per picture.

Polygons are drawn as LabelMe's own export does, with their border. `__ignore__` neither trains nor
scores, `_background_` is the background.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotatedPicture, AnnotationFile, DrawingStyle, Region
from edge_seg.importers.bitmaps import PngMask
from edge_seg.importers.coordinates import Points, floored, points
from edge_seg.importers.shapes import Ellipse, Parts, Polygon, Polyline, Shape
from edge_seg.importers.streaming import JsonObject, check_json, items, json_object, top_level_keys, value
from edge_seg.importers.via_shapes import point
from edge_seg.importers.wording import quoted, shown

_LABEL_FILE = "labels.txt"


class LabelMe:
    """LabelMe's JSON, one file per picture."""

    name = "labelme"
    title = "LabelMe"
    suffixes = frozenset({".json"})
    label_attribute = "label"

    def recognises(self, path: Path) -> bool:
        """True for JSON with shapes and imagePath."""
        return {"shapes", "imagePath"} <= set(top_level_keys(path))

    def read(self, path: Path) -> AnnotationFile:
        """Read one picture's shapes; the class order is that of a labels.txt beside the file."""
        if not self.recognises(path):
            check_json(path, item_depth=1)  # not JSON at all is another sentence
            keys = ", ".join(top_level_keys(path))
            raise AnnotationError(
                f"{path}: is not LabelMe JSON (its keys are '{shown(keys)}'); it has shapes and imagePath"
            )
        check_json(path, item_depth=2)
        return AnnotationFile(_class_order(path.with_name(_LABEL_FILE)), iter([_picture(path)]))

    def shape(self, geometry: Any, size: tuple[int, int], style: DrawingStyle, where: str) -> Shape | None:
        """Make a shape of one entry of `shapes`."""
        del size
        entry = json_object(geometry) or {}
        name = entry.get("shape_type") or "polygon"  # files of the first versions have no other shape
        parse = _PARSERS.get(name) if isinstance(name, str) else None
        if parse is None:
            raise AnnotationError(f"{where}: the shape {quoted(name)} is not known; use one of {', '.join(_PARSERS)}")
        return parse(entry, where, style)


def _picture(path: Path) -> AnnotatedPicture:
    name = value(path, "imagePath")
    if not isinstance(name, str) or not name:
        raise AnnotationError(f"{path}: imagePath is '{shown(name)}', not a file name; correct it")
    width, height = value(path, "imageWidth"), value(path, "imageHeight")
    size = (width, height) if type(width) is int and type(height) is int else None
    return AnnotatedPicture(name, tuple(_regions(path)), size)


def _regions(path: Path) -> Iterator[Region]:
    for number, item in enumerate(items(path, "shapes"), 1):
        entry = json_object(item) or {}
        labels = {key: entry.get(key) for key in ("label", "group_id", "description")}
        yield Region(number, labels, {key: entry.get(key) for key in ("shape_type", "points", "mask")})


def _class_order(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()  # the file is optional
    return tuple(line.strip() for line in lines if line.strip())


def _points(entry: JsonObject, where: str, shape: str, *, least: int) -> Points:
    return points(entry.get("points"), "points", where, shape=shape, least=least)


def _polygon(entry: JsonObject, where: str, style: DrawingStyle) -> Polygon:
    del style
    return Polygon(floored(_points(entry, where, "polygon", least=3)))


def _rectangle(entry: JsonObject, where: str, style: DrawingStyle) -> Polygon:
    del style
    (x1, y1), (x2, y2) = _points(entry, where, "rectangle", least=2)[:2]
    return Polygon(floored(np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])))


def _circle(entry: JsonObject, where: str, style: DrawingStyle) -> Ellipse:
    del style
    centre, rim = _points(entry, where, "circle", least=2)[:2]
    radius = round(float(np.hypot(*(rim - centre))))
    x, y = floored(centre[None])[0].tolist()
    return Ellipse((x, y), (radius, radius))


def _line(entry: JsonObject, where: str, style: DrawingStyle) -> Polyline | Polygon:
    if style.fill_polylines:
        return _polygon(entry, where, style)
    return Polyline(floored(_points(entry, where, "line", least=2)), style.line_width)


def _dots(entry: JsonObject, where: str, style: DrawingStyle) -> Parts | None:
    found = [point(x, y, where, style) for x, y in _points(entry, where, "point", least=1)]
    discs = tuple(disc for disc in found if disc is not None)
    return Parts(discs) if discs else None


def _mask(entry: JsonObject, where: str, style: DrawingStyle) -> PngMask:
    del style
    text = entry.get("mask")
    if not isinstance(text, str):
        raise AnnotationError(f"{where}: has no mask; export the annotations again")
    left, top = np.rint(_points(entry, where, "mask", least=1)[0]).astype(int).tolist()
    return PngMask(text, left, top)


_PARSERS: dict[str, Callable[[JsonObject, str, DrawingStyle], Shape | None]] = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "circle": _circle,
    "line": _line,
    "linestrip": _line,
    "point": _dots,
    "points": _dots,
    "mask": _mask,
}
