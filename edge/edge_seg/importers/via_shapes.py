"""The shapes VGG Image Annotator draws: read from JSON, painted into a class map."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import AnnotationError
from edge_seg.images import ClassMap

FARTHEST_COORDINATE = 1e6
"""Beyond any picture, and well inside what OpenCV's fixed-point rasteriser can hold."""


@dataclass(frozen=True)
class Polygon:
    """A filled outline; `points` is [n, 2] int32, x before y."""

    points: NDArray[np.int32]


@dataclass(frozen=True)
class Polyline:
    """An open line; `points` is [n, 2] int32, x before y."""

    points: NDArray[np.int32]


@dataclass(frozen=True)
class Ellipse:
    """A filled ellipse: centre and radii in pixels, `angle` in degrees, clockwise on the screen."""

    centre: tuple[int, int]
    radii: tuple[int, int]
    angle: float = 0.0


Shape: TypeAlias = Polygon | Polyline | Ellipse
Attributes: TypeAlias = Mapping[str, object]


def parse_shape(attributes: Attributes, where: str, *, fill_polylines: bool = False) -> Shape:
    """Read `shape_attributes` of VIA 1 or 2: polygon, rect, circle, ellipse or polyline.

    Args:
        attributes: the JSON object.
        where: file, picture and region, to begin an error with.
        fill_polylines: take a polyline as the polygon it outlines.

    Raises:
        AnnotationError: another shape (a `point` has no area), too few points, or a coordinate
            that is no finite number or lies beyond any picture.
    """
    name = attributes.get("name")
    if fill_polylines and name == "polyline":
        name = "polygon"
    if name == "point":
        raise AnnotationError(f"{where}: a point covers no pixels; draw a small circle instead, or delete it")
    parse = _PARSERS.get(name) if isinstance(name, str) else None
    if parse is None:
        raise AnnotationError(f"{where}: the shape {name!r} is not known; use one of {', '.join(_PARSERS)}")
    return parse(attributes, where)


def paint(class_map: ClassMap, shape: Shape, class_id: int, line_width: int) -> None:
    """Paint `shape` into `class_map` (uint8 [h, w]) in place; the outline belongs to the shape."""
    match shape:
        case Polygon(points):
            cv2.fillPoly(class_map, [points], class_id)
        case Polyline(points):
            class_map[_stroke(points, class_map.shape, line_width)] = class_id
        case Ellipse(centre, (radius, other)) if radius == other:
            cv2.circle(class_map, centre, radius, class_id, thickness=cv2.FILLED)
        case Ellipse(centre, radii, angle):
            cv2.ellipse(class_map, centre, radii, angle, 0, 360, class_id, thickness=cv2.FILLED)


def _stroke(points: NDArray[np.int32], shape: tuple[int, ...], width: int) -> NDArray[np.bool_]:
    # OpenCV draws thick lines two pixels too wide, so a thin one is widened by a round brush.
    line = np.zeros(shape, np.uint8)
    cv2.polylines(line, [points], False, 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return cv2.dilate(line, brush) > 0


def lies_outside(shape: Shape, height: int, width: int) -> bool:
    """True when no part of the shape's bounding box is inside a picture of that size."""
    if isinstance(shape, Ellipse):
        reach = max(shape.radii)
        low, high = np.subtract(shape.centre, reach), np.add(shape.centre, reach)
    else:
        low, high = shape.points.min(axis=0), shape.points.max(axis=0)
    return bool((high < 0).any() or low[0] >= width or low[1] >= height)


def _polygon(attributes: Attributes, where: str) -> Polygon:
    return Polygon(_points(attributes, where, "polygon", least=3))


def _polyline(attributes: Attributes, where: str) -> Polyline:
    return Polyline(_points(attributes, where, "polyline", least=2))


def _rect(attributes: Attributes, where: str) -> Polygon:
    x, y = _number(attributes, "x", where), _number(attributes, "y", where)
    right, bottom = x + _length(attributes, "width", where), y + _length(attributes, "height", where)
    return Polygon(_rounded([(x, y), (right, y), (right, bottom), (x, bottom)]))


def _circle(attributes: Attributes, where: str) -> Ellipse:
    radius = round(_length(attributes, "r", where))
    return Ellipse(_centre(attributes, where), (radius, radius))


def _ellipse(attributes: Attributes, where: str) -> Ellipse:
    radii = round(_length(attributes, "rx", where)), round(_length(attributes, "ry", where))
    theta = _number(attributes, "theta", where) if "theta" in attributes else 0.0
    return Ellipse(_centre(attributes, where), radii, math.degrees(theta))


_PARSERS: dict[str, Callable[[Attributes, str], Shape]] = {
    "polygon": _polygon,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "polyline": _polyline,
}


def _centre(attributes: Attributes, where: str) -> tuple[int, int]:
    return round(_number(attributes, "cx", where)), round(_number(attributes, "cy", where))


def _points(attributes: Attributes, where: str, shape: str, *, least: int) -> NDArray[np.int32]:
    xs, ys = _numbers(attributes, "all_points_x", where), _numbers(attributes, "all_points_y", where)
    if len(xs) != len(ys):
        raise AnnotationError(f"{where}: has {len(xs)} x but {len(ys)} y coordinates; draw the region again in VIA")
    if len(xs) < least:
        raise AnnotationError(
            f"{where}: a {shape} needs at least {least} points, this one has {len(xs)}; "
            "draw the region again in VIA or delete it"
        )
    return _rounded(list(zip(xs, ys, strict=True)))


def _numbers(attributes: Attributes, key: str, where: str) -> list[float]:
    values = attributes.get(key)
    if not isinstance(values, list):
        raise AnnotationError(f"{where}: {key} is {values!r:.60}, not a list of numbers; correct it")
    return [_finite(value, key, where) for value in cast(list[object], values)]


def _number(attributes: Attributes, key: str, where: str) -> float:
    return _finite(attributes.get(key), key, where)


def _length(attributes: Attributes, key: str, where: str) -> float:
    value = _number(attributes, key, where)
    if value <= 0:
        raise AnnotationError(f"{where}: {key} is {value:g}, so it has no area; draw it again or delete it")
    return value


def _finite(value: object, key: str, where: str) -> float:
    # NaN compares false to everything, so it fails too.
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST_COORDINATE:
        return float(value)
    raise AnnotationError(f"{where}: {key} holds {value!r:.60}, not a pixel coordinate; correct it")


def _rounded(points: list[tuple[float, float]]) -> NDArray[np.int32]:
    return np.rint(np.array(points, np.float64)).astype(np.int32)
