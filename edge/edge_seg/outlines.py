"""Between class maps and outlines: what a pen would draw around every region.

Each 4-connected component of each class becomes its outer contour, and contours are painted the
larger before the smaller (the painter's algorithm). A hole therefore needs no syntax of its own:
what fills it is painted later. Nothing is lost:

- Of two 4-connected components, one lies in a hole of the other or neither covers the other,
  and the box around an enclosed component is strictly smaller than its encloser's.
- Integer coordinates are pixel centres and an outline belongs to its region, so `cv2.fillPoly`
  undoes `cv2.findContours`.

With 8-connected components this would not hold: two of them can cross on a diagonal.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.components import Component, components
from edge_seg.images import ClassMap

Points = NDArray[np.int32]
"""[n, 2] int32, x before y; integer coordinates are pixel centres."""

_FINEST_PX = 0.5  # below, nothing is left to simplify
_TOLERANCES = tuple(_FINEST_PX * 2 ** (step / 2) for step in range(12, -1, -1))  # from 32 pixels, in steps of √2
_MOST_ATTEMPTS = 8


@dataclass(frozen=True, eq=False)
class Region:
    """One region: its class, its outer contour, and how many pixels it has without its holes."""

    class_id: int
    points: Points
    area: int


@dataclass(frozen=True, eq=False)
class Outlines:
    """The regions of one picture in the order they are painted, onto a canvas of one class."""

    height: int
    width: int
    canvas_id: int
    regions: tuple[Region, ...]

    @property
    def point_count(self) -> int:
        """Points of all regions together."""
        return sum(len(region.points) for region in self.regions)


@dataclass(frozen=True)
class Pen:
    """How finely regions are drawn.

    Attributes:
        least_iou: the smallest IoU with the mask that any class of a picture may keep.
        tolerance_px: how far an outline may move, in place of `least_iou`.
        least_share: regions of a smaller share of the picture are left out; 0 draws all.
    """

    least_iou: float = 0.99
    tolerance_px: float | None = None
    least_share: float = 0.0


def draw(class_map: ClassMap, canvas_id: int, pen: Pen) -> Outlines:
    """Outline the regions of a class map ([h, w] uint8) with few points, as `pen` says."""
    outlines = trace(class_map, canvas_id, least_area=math.ceil(pen.least_share * class_map.size))
    if pen.tolerance_px is None:
        return simplify_keeping(outlines, pen.least_iou)
    return simplify(outlines, pen.tolerance_px)


def trace(class_map: ClassMap, canvas_id: int, *, least_area: int = 0) -> Outlines:
    """Outline every region; `paint` gives back the same class map, pixel for pixel.

    Args:
        class_map: [h, w] uint8 class ids; the ignore id is a class like any other.
        canvas_id: the class that lies under everything: its regions are outlined only where
            they are holes in others.
        least_area: regions of fewer pixels are left out, and take the class they lie on.
    """
    height, width = class_map.shape
    found = [item for item in components(class_map, connectivity=4) if item.area >= least_area]
    found.sort(key=lambda item: -item.mask.size)
    painted = np.full((height, width), canvas_id, np.uint8)
    kept: list[Region] = []
    for region in map(_outlined, found):
        x, y = region.points[0]
        if region.class_id != painted[y, x]:
            cv2.fillPoly(painted, [region.points], region.class_id)
            kept.append(region)
    return Outlines(height, width, canvas_id, tuple(kept))


def paint(outlines: Outlines) -> ClassMap:
    """Paint outlines to class ids, [h, w] uint8; later regions lie over earlier ones."""
    painted = np.full((outlines.height, outlines.width), outlines.canvas_id, np.uint8)
    for region in outlines.regions:
        cv2.fillPoly(painted, [region.points], region.class_id)
    return painted


def simplify(outlines: Outlines, tolerance_px: float) -> Outlines:
    """Drop points as long as no outline moves by more than about `tolerance_px` (Douglas & Peucker 1973)."""
    return _with_points(outlines, [_approximate(item.points, tolerance_px) for item in outlines.regions])


def simplify_keeping(outlines: Outlines, least_iou: float) -> Outlines:
    """Drop as many points of each region as its size bears; no class falls below `least_iou`.

    Each region gets the largest tolerance at which the pixels that change sides stay few beside
    its own area. Where that adds up to more than a class bears, as where a thin ring lies around
    a large region, all are drawn finer; at the last, exactly.

    Args:
        outlines: as `trace` gives them.
        least_iou: the smallest IoU, 0 to 1, that any class of the picture may keep.
    """
    exact = paint(outlines)
    share = bearable = 1 - least_iou
    for _ in range(_MOST_ATTEMPTS):
        drawn = [_fewest_points(item.points, share * item.area) for item in outlines.regions]
        simple = _with_points(outlines, drawn)
        lost = 1 - min(class_iou(exact, paint(simple)).values())
        if lost <= bearable:
            return simple
        share *= max(0.25, 0.95 * bearable / lost)
    return simplify(outlines, 0)


def class_iou(truth: ClassMap, other: ClassMap) -> dict[int, float]:
    """IoU of two class maps of one size for every id in `truth`, the ignore id included."""
    of_truth, of_other = (np.bincount(item.ravel(), minlength=256) for item in (truth, other))
    common = np.bincount(truth[truth == other], minlength=256)
    ids = (int(value) for value in np.flatnonzero(of_truth))
    return {item: float(common[item] / (of_truth[item] + of_other[item] - common[item])) for item in ids}


def _outlined(component: Component) -> Region:
    contours, _ = cv2.findContours(component.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = np.asarray(contours[0], np.int32).reshape(-1, 2) + np.array([component.x, component.y], np.int32)
    return Region(component.class_id, points, component.area)


def _fewest_points(points: Points, most_changed_px: float) -> Points:
    """The coarsest approximation that changes no more than that many pixels of the filled outline."""
    corner = points.min(axis=0)
    local = points - corner
    width, height = (int(value) + 1 for value in local.max(axis=0))
    exact = _filled(local, height, width)
    for tolerance in (step for step in _TOLERANCES if 2 * step <= max(width, height)):
        simple = _approximate(local, tolerance)
        if np.count_nonzero(exact != _filled(simple, height, width)) <= most_changed_px:
            return simple + corner
    return _approximate(points, 0)


def _filled(points: Points, height: int, width: int) -> NDArray[np.uint8]:
    filled = np.zeros((height, width), np.uint8)
    cv2.fillPoly(filled, [points], 1)
    return filled


def _approximate(points: Points, tolerance_px: float) -> Points:
    simple = np.asarray(cv2.approxPolyDP(points, tolerance_px, True), np.int32).reshape(-1, 2)
    if len(simple) >= 3:
        return simple
    if tolerance_px > _FINEST_PX:
        return _approximate(points, tolerance_px / 2)  # a region smaller than its tolerance stays a region
    return np.resize(simple, (3, 2))  # a lone pixel or line goes through its own points again


def _with_points(outlines: Outlines, drawn: list[Points]) -> Outlines:
    pairs = zip(outlines.regions, drawn, strict=True)
    return replace(outlines, regions=tuple(replace(region, points=points) for region, points in pairs))
