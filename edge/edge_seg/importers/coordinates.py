"""Reading numbers and point lists out of annotations that may hold anything."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import AnnotationError
from edge_seg.importers.shapes import FARTHEST_COORDINATE
from edge_seg.importers.wording import quoted

Attributes: TypeAlias = Mapping[str, object]
Points: TypeAlias = NDArray[np.float64]


def number(attributes: Attributes, key: str, where: str) -> float:
    """Return the coordinate `key`.

    Raises:
        AnnotationError: absent, no finite number, or beyond any picture.
    """
    return coordinate(attributes.get(key), key, where)


def length(attributes: Attributes, key: str, where: str) -> float:
    """Return the length `key`, above 0.

    Raises:
        AnnotationError: absent, no finite number, beyond any picture, or not above 0.
    """
    value = number(attributes, key, where)
    if value <= 0:
        raise AnnotationError(f"{where}: {key} is {value:g}, so it has no area; draw it again or delete it")
    return value


def coordinate(value: object, key: str, where: str) -> float:
    """Return `value` as a pixel coordinate.

    Raises:
        AnnotationError: no finite number, or beyond any picture.
    """
    # NaN compares false to everything, so it fails too.
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST_COORDINATE:
        return float(value)
    raise AnnotationError(f"{where}: {key} holds {_shown(value)}, not a pixel coordinate; correct it")


def coordinates(values: object, key: str, where: str) -> list[float]:
    """Return a list of pixel coordinates.

    Raises:
        AnnotationError: no list, or one of something else.
    """
    if not isinstance(values, list | tuple):
        raise AnnotationError(f"{where}: {key} is {_shown(values)}, not a list of numbers; correct it")
    return [coordinate(value, key, where) for value in cast(Sequence[object], values)]


def points(values: object, key: str, where: str, *, shape: str, least: int) -> Points:
    """Return a list of [x, y] pairs as float64 [n, 2].

    Raises:
        AnnotationError: no list of pairs, or fewer than `least`.
    """
    if not isinstance(values, list | tuple):
        raise AnnotationError(f"{where}: {key} is {_shown(values)}, not a list of points; correct it")
    pairs = [coordinates(value, key, where) for value in cast(Sequence[object], values)]
    if any(len(pair) != 2 for pair in pairs):
        raise AnnotationError(f"{where}: {key} holds a point that has not two coordinates; correct it")
    return enough(np.array(pairs, np.float64).reshape(-1, 2), where, shape=shape, least=least)


def flat_points(values: object, key: str, where: str, *, shape: str, least: int) -> Points:
    """Return a list x1, y1, x2, y2, … as float64 [n, 2].

    Raises:
        AnnotationError: no list of an even number of coordinates, or too few.
    """
    flat = coordinates(values, key, where)
    if len(flat) % 2:
        raise AnnotationError(f"{where}: {key} holds {len(flat)} numbers, not x and y in turn; correct it")
    return enough(np.array(flat, np.float64).reshape(-1, 2), where, shape=shape, least=least)


def enough(found: Points, where: str, *, shape: str, least: int) -> Points:
    """Return `found` when it has at least `least` points.

    Raises:
        AnnotationError: it has fewer.
    """
    if len(found) < least:
        raise AnnotationError(
            f"{where}: a {shape} needs at least {least} points, this one has {len(found)}; "
            "draw the region again or delete it"
        )
    return found


def rounded(found: Points) -> NDArray[np.int32]:
    """Return points as whole pixels, int32 [n, 2]."""
    return np.rint(found).astype(np.int32)


def floored(found: Points) -> NDArray[np.int32]:
    """Return the pixels that hold the points, int32 [n, 2]."""
    return np.floor(found).astype(np.int32)


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str | int | float | bool | None) else f"a {type(value).__name__}"
