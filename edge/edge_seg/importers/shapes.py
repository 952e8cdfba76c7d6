"""The shapes that annotations are made of, painted into a class map.

Two conventions of where a coordinate lies are in use, and each format keeps its own:

- Pixel centres: (3, 5) is the middle of that pixel, and the pixels of the outline belong to the shape.
  VIA, LabelMe and Ultralytics draw so; `Polygon`, `Polyline` and `Ellipse` are such shapes.
- Pixel edges: (3, 5) is the corner where four pixels meet, and a pixel belongs to the shape when its
  centre lies inside. COCO and CVAT measure so; `Outline` is such a shape.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import AnnotationError
from edge_seg.images import ClassMap
from edge_seg.importers.bitmaps import BoxRunLengths, PngMask, RunLengths

FARTHEST_COORDINATE = 1e6
"""Beyond any picture, and well inside what OpenCV's fixed-point line drawing can hold."""

MOST_CROSSINGS = 20_000_000
"""Rows of pixels that the edges of one outline may cross in all, and pixels that a line may be long; drawn ones
stay far below."""

_FEWEST_CORNERS = 4
_FEW_POINTS = 1000  # up to which cv2.fillPoly, ten times as fast as `_fill`, takes milliseconds whatever they are
_NEAR = 0.1  # of its extent
_CROSSINGS_AT_ONCE = 1_000_000
_PIXELS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Polygon:
    """A filled outline with its border; `points` is [n, 2] int32 pixel centres, x before y."""

    points: NDArray[np.int32]


@dataclass(frozen=True)
class Outline:
    """The area inside closed rings by the even-odd rule; each ring is [n, 2] float64 in pixel edges, x before y."""

    rings: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True)
class Polyline:
    """An open line `width` pixels wide; `points` is [n, 2] int32 pixel centres, x before y."""

    points: NDArray[np.int32]
    width: int


@dataclass(frozen=True)
class Ellipse:
    """A filled ellipse: centre and radii in pixels, `angle` in degrees, clockwise on the screen."""

    centre: tuple[int, int]
    radii: tuple[int, int]
    angle: float = 0.0


@dataclass(frozen=True)
class Parts:
    """Several shapes that are one region."""

    shapes: "tuple[Shape, ...]"


Shape: TypeAlias = Polygon | Outline | Polyline | Ellipse | RunLengths | BoxRunLengths | PngMask | Parts


def paint(class_map: ClassMap, shape: Shape, class_id: int, where: str) -> None:
    """Paint `shape` into `class_map` (uint8 [h, w]) in place.

    Args:
        class_map: what is painted into.
        shape: what is painted.
        class_id: the value its pixels get.
        where: file, picture and region, to begin an error with.

    Raises:
        AnnotationError: an outline too tangled to fill, or a bitmap that does not decode or fit.
    """
    match shape:
        case Polygon(points) if len(points) <= _FEW_POINTS:
            cv2.fillPoly(class_map, [points], class_id)
        case Polygon(points):
            _fill(class_map, (points.astype(np.float64) + 0.5,), class_id, where)
            _check_length(points, class_map.shape, where)
            cv2.polylines(class_map, [points], True, class_id)
        case Outline(rings):
            _fill(class_map, rings, class_id, where)
        case Polyline(points, width):
            _check_length(points, class_map.shape, where)
            class_map[_stroke(points, class_map.shape, width)] = class_id
        case Ellipse(centre, (radius, other)) if radius == other:
            cv2.circle(class_map, centre, radius, class_id, thickness=cv2.FILLED)
        case Ellipse(centre, radii, angle):
            cv2.ellipse(class_map, centre, radii, angle, 0, 360, class_id, thickness=cv2.FILLED)
        case RunLengths() | BoxRunLengths() | PngMask():
            shape.paint(class_map, class_id, where)
        case Parts(shapes):
            for part in shapes:
                paint(class_map, part, class_id, where)


def lies_outside(shape: Shape, height: int, width: int) -> bool:
    """True when no part of the shape's bounding box is inside a picture of that size."""
    match shape:
        case RunLengths() | BoxRunLengths() | PngMask():
            return False  # they are as large as the picture, or say so themselves
        case Parts(shapes):
            return all(lies_outside(part, height, width) for part in shapes)
        case Ellipse(centre, radii):
            low, high = np.subtract(centre, max(radii)), np.add(centre, max(radii))
        case Outline(rings):
            points = np.concatenate(rings)
            low, high = points.min(axis=0), points.max(axis=0)
        case Polygon(points) | Polyline(points):
            low, high = points.min(axis=0), points.max(axis=0)
    return bool((high < 0).any() or low[0] >= width or low[1] >= height)


def closes_on_itself(shape: Shape) -> bool:
    """True for a polyline that ends near where it began: most likely an outline, traced with the wrong tool."""
    if not isinstance(shape, Polyline) or len(shape.points) < _FEWEST_CORNERS:
        return False
    extent = np.ptp(shape.points, axis=0).max()
    return bool(np.hypot(*(shape.points[0] - shape.points[-1])) <= _NEAR * extent)


def _check_length(points: NDArray[np.int32], shape: tuple[int, ...], where: str) -> None:
    """Refuse a line on which OpenCV would be for minutes: it draws one pixel after the other."""
    inside = np.minimum(np.maximum(points, 0), (shape[1], shape[0]))
    pixels = int(np.abs(np.diff(inside, axis=0)).max(axis=1).sum())
    if pixels > MOST_CROSSINGS:
        raise AnnotationError(
            f"{where}: its line of {len(points)} points is {pixels} pixels long; simplify or delete it"
        )


def _stroke(points: NDArray[np.int32], shape: tuple[int, ...], width: int) -> NDArray[np.bool_]:
    # OpenCV draws thick lines two pixels too wide, so a thin one is widened by a round brush.
    line = np.zeros(shape, np.uint8)
    cv2.polylines(line, [points], False, 1)
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    return cv2.dilate(line, brush) > 0


def _fill(class_map: ClassMap, rings: tuple[NDArray[np.float64], ...], class_id: int, where: str) -> None:
    """Paint the pixels whose centres lie inside `rings`, by the even-odd rule.

    Works row by row on where edges cross the line through the pixel centres, so that its time is in
    proportion to the crossings; the time of cv2.fillPoly is quadratic, minutes for a tangle of 50,000 points.
    """
    height, width = class_map.shape
    edges = np.concatenate([np.hstack([ring, np.concatenate([ring[1:], ring[:1]])]) for ring in rings])
    # An edge crosses the rows whose centre lines lie between its ends: from `first` up to, not including, `last`.
    first = _clipped(np.ceil(np.minimum(edges[:, 1], edges[:, 3]) - 0.5), 0, height)
    last = _clipped(np.ceil(np.maximum(edges[:, 1], edges[:, 3]) - 0.5), 0, height)
    crossing = last > first
    edges, first, last = edges[crossing], first[crossing], last[crossing]
    if not len(edges):
        return
    if (total := int((last - first).sum())) > MOST_CROSSINGS:
        raise AnnotationError(
            f"{where}: its outline of {len(edges)} points crosses {total} rows of pixels; simplify or delete it"
        )
    left = max(0, math.floor(min(edges[:, 0].min(), edges[:, 2].min())))
    right = min(width, math.ceil(max(edges[:, 0].max(), edges[:, 2].max())))
    if left >= right:
        return
    for top, bottom in _strips(int(first.min()), int(last.max()), right - left):
        toggles = np.zeros((bottom - top, right - left + 1), np.uint8)
        for rows, columns in _crossings(edges, _clipped(first, top, bottom), _clipped(last, top, bottom)):
            np.add.at(toggles, (rows - top, _clipped(columns - left, 0, right - left)), 1)
        inside = np.bitwise_xor.accumulate(toggles[:, :-1] & 1, axis=1)
        class_map[top:bottom, left:right][inside > 0] = class_id


def _clipped(values: NDArray[np.floating | np.integer], low: int, high: int) -> NDArray[np.int64]:
    return np.minimum(np.maximum(values, low), high).astype(np.int64)  # np.clip takes three times as long


def _strips(top: int, bottom: int, width: int) -> Iterator[tuple[int, int]]:
    height = max(1, _PIXELS_AT_ONCE // width)
    for start in range(top, bottom, height):
        yield start, min(start + height, bottom)


def _crossings(
    edges: NDArray[np.float64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Yield (rows, columns): the first pixel whose centre is right of each crossing, in bounded portions."""
    counts = last - first
    ends = np.cumsum(counts)
    start = 0
    while start < len(edges):
        reached = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, reached + _CROSSINGS_AT_ONCE, side="right")))
        part = slice(start, stop)
        edge = np.repeat(np.arange(start, stop), counts[part])
        rows = np.arange(len(edge)) - np.repeat(ends[part] - counts[part] - reached, counts[part]) + first[edge]
        x1, y1, x2, y2 = edges[edge].T
        yield rows, np.ceil(x1 + (rows + 0.5 - y1) / (y2 - y1) * (x2 - x1) - 0.5)
        start = stop
