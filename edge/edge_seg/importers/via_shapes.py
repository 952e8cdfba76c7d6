"""The shapes VGG Image Annotator draws: named attributes in versions 1 and 2, a list of numbers in version 3."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import DrawingStyle
from edge_seg.importers.coordinates import (
    Attributes,
    Points,
    coordinates,
    enough,
    flat_points,
    length,
    number,
    rounded,
)
from edge_seg.importers.shapes import Ellipse, Polygon, Polyline, Shape
from edge_seg.importers.wording import quoted, shown

# https://gitlab.com/vgg/via/-/blob/via-3.x.y/via-3.x.y/src/js/_via_const.js, _VIA_RSHAPE.
_VIA3_NAMES = {1: "point", 2: "rect", 3: "circle", 4: "ellipse", 5: "line", 6: "polyline", 7: "polygon"}
_VIA3_KEYS: dict[str, tuple[str, ...]] = {
    "point": ("cx", "cy"),
    "rect": ("x", "y", "width", "height"),
    "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry"),
}


def via_shape(attributes: Attributes, where: str, style: DrawingStyle) -> Shape | None:
    """Read `shape_attributes` of VIA 1 or 2: polygon, rect, circle, ellipse, polyline or point.

    Returns:
        The shape, or None for a point that the style leaves out.

    Raises:
        AnnotationError: another shape, too few points, a coordinate that is no finite number or lies
            beyond any picture, or a point where the style does not say what to do with one.
    """
    name = attributes.get("name")
    if style.fill_polylines and name == "polyline":
        name = "polygon"
    parse = _PARSERS.get(name) if isinstance(name, str) else None
    if parse is None:
        raise AnnotationError(f"{where}: the shape {quoted(name)} is not known; use one of {', '.join(_PARSERS)}")
    return parse(attributes, where, style)


def via3_shape(numbers: object, where: str, style: DrawingStyle) -> Shape | None:
    """Read `xy` of VIA 3: a shape code, then its coordinates.

    Raises:
        AnnotationError: as `via_shape`, or a code that is not known.
    """
    values = coordinates(numbers, "xy", where)
    name = _VIA3_NAMES.get(int(values[0])) if values and values[0].is_integer() else None
    if name is None:
        raise AnnotationError(
            f"{where}: xy begins with {shown(values[:1])}, which is no shape code; VIA 3 knows 1 (point) to 7 (polygon)"
        )
    if name in _VIA3_KEYS:
        keys = _VIA3_KEYS[name]
        if len(values) < len(keys) + 1:
            raise AnnotationError(
                f"{where}: a {name} has {len(keys)} numbers, this one {len(values) - 1}; draw it again or delete it"
            )
        return via_shape({"name": name, **dict(zip(keys, values[1:], strict=False))}, where, style)
    found = flat_points(values[1:], "xy", where, shape=name, least=2)
    shape = "polyline" if name == "line" else name
    return via_shape(
        {"name": shape, "all_points_x": found[:, 0].tolist(), "all_points_y": found[:, 1].tolist()}, where, style
    )


def point(x: float, y: float, where: str, style: DrawingStyle) -> Ellipse | None:
    """Return the disc that stands for a point, or None when the style leaves points out.

    Raises:
        AnnotationError: the style does not say what to do with a point.
    """
    if style.point_radius is None:
        raise AnnotationError(
            f"{where}: a point covers no pixels; leave points out with  --point-radius 0  or draw discs with "
            " --point-radius 5"
        )
    radius = style.point_radius
    return Ellipse((round(x), round(y)), (radius, radius)) if radius else None


def _point(attributes: Attributes, where: str, style: DrawingStyle) -> Ellipse | None:
    return point(number(attributes, "cx", where), number(attributes, "cy", where), where, style)


def _polygon(attributes: Attributes, where: str, style: DrawingStyle) -> Polygon:
    del style
    return Polygon(rounded(_points(attributes, where, "polygon", least=3)))


def _polyline(attributes: Attributes, where: str, style: DrawingStyle) -> Polyline:
    return Polyline(rounded(_points(attributes, where, "polyline", least=2)), style.line_width)


def _rect(attributes: Attributes, where: str, style: DrawingStyle) -> Polygon:
    del style
    x, y = number(attributes, "x", where), number(attributes, "y", where)
    right, bottom = x + length(attributes, "width", where), y + length(attributes, "height", where)
    return Polygon(rounded(np.array([(x, y), (right, y), (right, bottom), (x, bottom)])))


def _circle(attributes: Attributes, where: str, style: DrawingStyle) -> Ellipse:
    del style
    radius = round(length(attributes, "r", where))
    return Ellipse(_centre(attributes, where), (radius, radius))


def _ellipse(attributes: Attributes, where: str, style: DrawingStyle) -> Ellipse:
    del style
    radii = round(length(attributes, "rx", where)), round(length(attributes, "ry", where))
    theta = number(attributes, "theta", where) if "theta" in attributes else 0.0
    return Ellipse(_centre(attributes, where), radii, math.degrees(theta))


_Parser: TypeAlias = Callable[[Mapping[str, Any], str, DrawingStyle], Shape | None]
_PARSERS: dict[str, _Parser] = {
    "polygon": _polygon,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "polyline": _polyline,
    "point": _point,
}


def _centre(attributes: Attributes, where: str) -> tuple[int, int]:
    return round(number(attributes, "cx", where)), round(number(attributes, "cy", where))


def _points(attributes: Attributes, where: str, shape: str, *, least: int) -> Points:
    xs = coordinates(attributes.get("all_points_x"), "all_points_x", where)
    ys = coordinates(attributes.get("all_points_y"), "all_points_y", where)
    if len(xs) != len(ys):
        raise AnnotationError(f"{where}: has {len(xs)} x but {len(ys)} y coordinates; draw the region again in VIA")
    return enough(np.array([xs, ys], np.float64).T, where, shape=shape, least=least)
