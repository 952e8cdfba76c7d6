"""CVAT for images 1.1 (https://docs.cvat.ai/docs/manual/advanced/xml_format/).

Shapes are drawn by `z_order`, and in the order of the file where it is equal.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotatedPicture, AnnotationFile, DrawingStyle, Region
from edge_seg.importers.bitmaps import BoxRunLengths
from edge_seg.importers.bounded_file import GrowingReads
from edge_seg.importers.coordinates import Points, coordinate, floored, points
from edge_seg.importers.shapes import Outline, Parts, Polyline, Shape
from edge_seg.importers.via_shapes import point
from edge_seg.importers.wording import shown

_SHAPES = ("polygon", "box", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton")
_NOT_GEOMETRY = frozenset({"label", "occluded", "source", "group_id"})
_DEEPEST_NESTING = 64
_LARGEST_IMAGE = 50_000_000  # characters, as of two outlines of a million points
_CHARACTERS_OF_AN_ELEMENT = 200  # what memory needs for one without any
_ELLIPSE_POINTS = 180


class Cvat:
    """CVAT's annotations.xml for images."""

    name = "cvat"
    title = "CVAT for images"
    suffixes = frozenset({".xml"})
    label_attribute = "label"

    def recognises(self, path: Path) -> bool:
        """True for XML whose root is `annotations`."""
        try:
            with _opened(path) as file:
                _, root = next(iter(iterparse(file, events=("start",), forbid_dtd=True)))
                return root.tag == "annotations"
        except (AnnotationError, StopIteration):
            return False

    def read(self, path: Path) -> AnnotationFile:
        """Read images lazily; the class order is that of the labels in `meta`."""
        if path.suffix.lower() != ".xml" or not self.recognises(path):
            _refuse_unreadable(path)
            raise AnnotationError(
                f"{path}: is not CVAT XML (its root is not 'annotations'); in CVAT export 'CVAT for images 1.1'"
            )
        return AnnotationFile(_class_order(path), _pictures(path))

    def shape(self, geometry: Any, size: tuple[int, int], style: DrawingStyle, where: str) -> Shape | None:
        """Make a shape of an element's tag and attributes."""
        del size
        tag, attributes = geometry
        parse = _PARSERS.get(tag)
        if parse is None:
            raise AnnotationError(f"{where}: a {shown(tag)} cannot be drawn; use one of {', '.join(_PARSERS)}")
        return parse(attributes, where, style)


def _refuse_unreadable(path: Path) -> None:
    with _opened(path) as file:
        for _ in iterparse(file, forbid_dtd=True):
            return


def _elements(path: Path) -> Iterator[tuple[str, Element]]:
    """Yield ("start" or "end", element); what is below the root is dropped when it has ended, or the tree grows."""
    root, depth, size = None, 0, 0
    with _opened(path) as file:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            size += _CHARACTERS_OF_AN_ELEMENT + sum(map(len, element.attrib.values())) if event == "start" else 0
            if depth > _DEEPEST_NESTING:
                raise AnnotationError(f"{path}: is nested deeper than {_DEEPEST_NESTING} levels; export it again")
            if size > _LARGEST_IMAGE:
                raise AnnotationError(
                    f"{path}: holds more shapes or points for one image than can be drawn; delete some"
                )
            yield event, element
            if depth == 1:
                root.clear()
                size = 0


def _class_order(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for event, element in _elements(path):
        if event == "start" and element.tag == "image":
            break
        if event == "start" and element.tag == "track":
            raise AnnotationError(
                f"{path}: is 'CVAT for video', which names no picture files; in CVAT export 'CVAT for images 1.1'"
            )
        if event == "end" and element.tag == "label":
            name = element.findtext("name")
            if name:
                names.append(name)
    return tuple(dict.fromkeys(names))


def _pictures(path: Path) -> Iterator[AnnotatedPicture]:
    for event, element in _elements(path):
        if event == "end" and element.tag == "image":
            yield _picture(element, path)


def _picture(image: Element, path: Path) -> AnnotatedPicture:
    name, subset = image.get("name"), image.get("subset")
    if not name:
        raise AnnotationError(f"{path}: an image has no name; export the annotations again")
    shapes = [child for child in image if child.tag in _SHAPES]
    regions = tuple(
        _region(number, child, f"{path}: {shown(name)}, region {number}") for number, child in enumerate(shapes, 1)
    )
    width, height = image.get("width", ""), image.get("height", "")
    size = (int(width), int(height)) if _is_count(width) and _is_count(height) else None
    return AnnotatedPicture(f"{subset}/{name}" if subset else name, regions, size)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _region(number: int, element: Element, where: str) -> Region:
    custom = {child.get("name", ""): child.text or "" for child in element if child.tag == "attribute"}
    geometry = {key: text for key, text in element.attrib.items() if key not in _NOT_GEOMETRY}
    layer = round(_number({"z_order": element.get("z_order", "0")}, "z_order", where))
    return Region(number, {**custom, "label": element.get("label")}, (element.tag, geometry), layer)


@contextmanager
def _opened(path: Path) -> Generator[GrowingReads]:
    try:
        with path.open("rb") as file:
            yield GrowingReads(file, path, ends=b"\"'<")
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except DefusedXmlException:
        raise AnnotationError(
            f"{path}: declares a document type or entities, as CVAT never does; export it again"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise AnnotationError(f"{path}: is not XML ({shown(error)}); export the annotations again") from None


def _number(attributes: Mapping[str, str], key: str, where: str) -> float:
    text = attributes.get(key, "")
    try:
        return coordinate(float(text), key, where)
    except ValueError:
        raise AnnotationError(f"{where}: {key} is '{shown(text, 40)}', not a number; correct it") from None


def _points(attributes: Mapping[str, str], where: str, shape: str, *, least: int) -> Points:
    text = attributes.get("points", "")
    try:
        pairs = [[float(value) for value in pair.split(",")] for pair in text.split(";") if pair.strip()]
    except ValueError:
        raise AnnotationError(f"{where}: points are '{shown(text, 40)}', not x,y;x,y and so on; correct them") from None
    return points(pairs, "points", where, shape=shape, least=least)


def _polygon(attributes: Mapping[str, str], where: str, style: DrawingStyle) -> Outline:
    del style
    return Outline((_points(attributes, where, "polygon", least=3),))


def _box(attributes: Mapping[str, str], where: str, style: DrawingStyle) -> Outline:
    del style
    left, top, right, bottom = (_number(attributes, key, where) for key in ("xtl", "ytl", "xbr", "ybr"))
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    return Outline((_turned(corners, attributes, where),))


def _ellipse(attributes: Mapping[str, str], where: str, style: DrawingStyle) -> Outline:
    del style
    cx, cy, rx, ry = (_number(attributes, key, where) for key in ("cx", "cy", "rx", "ry"))
    angles = np.linspace(0, 2 * np.pi, _ELLIPSE_POINTS, endpoint=False)
    rim = np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=1)
    return Outline((_turned(rim, attributes, where),))


def _turned(corners: Points, attributes: Mapping[str, str], where: str) -> Points:
    """Turn a box or an ellipse by its `rotation`, clockwise degrees about its centre."""
    turn = np.deg2rad(_number(attributes, "rotation", where) if "rotation" in attributes else 0.0)
    centre = (corners.min(axis=0) + corners.max(axis=0)) / 2
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return (corners - centre) @ rotation + centre


def _polyline(attributes: Mapping[str, str], where: str, style: DrawingStyle) -> Polyline | Outline:
    if style.fill_polylines:
        return _polygon(attributes, where, style)
    return Polyline(floored(_points(attributes, where, "polyline", least=2)), style.line_width)


def _dots(attributes: Mapping[str, str], where: str, style: DrawingStyle) -> Parts | None:
    found = [point(x, y, where, style) for x, y in floored(_points(attributes, where, "point", least=1)).tolist()]
    discs = tuple(disc for disc in found if disc is not None)
    return Parts(discs) if discs else None


def _mask(attributes: Mapping[str, str], where: str, style: DrawingStyle) -> BoxRunLengths:
    del style
    text = attributes.get("rle", "")
    try:
        counts = tuple(int(count) for count in text.split(","))
        left, top, width, height = (int(attributes.get(key, "")) for key in ("left", "top", "width", "height"))
    except ValueError:
        raise AnnotationError(f"{where}: its mask '{shown(text, 40)}' has no whole numbers; export it again") from None
    return BoxRunLengths(counts, left, top, width, height)


_Parser: TypeAlias = Callable[[Mapping[str, str], str, DrawingStyle], Shape | None]
_PARSERS: dict[str, _Parser] = {
    "polygon": _polygon,
    "box": _box,
    "ellipse": _ellipse,
    "polyline": _polyline,
    "points": _dots,
    "mask": _mask,
}
