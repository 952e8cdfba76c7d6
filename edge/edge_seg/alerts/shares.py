"""Shares of classes in regions, quickly: what several rules need is counted once per frame."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.alerts.region import Region, region_mask
from edge_seg.alerts.rule import Rule
from edge_seg.classes import SegmentationClass
from edge_seg.images import ClassMap
from edge_seg.segmenter import Segmentation

_Window = tuple[slice, slice]


class RegionCounter:
    """Counts class pixels inside regions; the masks are kept until the picture's size changes."""

    def __init__(self) -> None:
        self._size = (0, 0)
        self._masks: dict[Region, tuple[_Window, NDArray[np.uint8], int]] = {}

    def share(self, region: Region, is_class: NDArray[np.uint8]) -> float:
        """Return the share of a region's pixels, 0 to 1, that are non-zero in `is_class` [height, width] uint8."""
        window, mask, size = self._mask(region, is_class.shape[:2])
        return cv2.countNonZero(cv2.bitwise_and(is_class[window], mask)) / size

    def _mask(self, region: Region, size: tuple[int, ...]) -> tuple[_Window, NDArray[np.uint8], int]:
        if size != self._size:
            self._size = (size[0], size[1])
            self._masks.clear()
        if region not in self._masks:
            self._masks[region] = _cropped(region_mask(region, *self._size))
        return self._masks[region]


def shares(segmentation: Segmentation, rules: Sequence[Rule], counter: RegionCounter) -> list[float]:
    """Return the share that each rule looks at, 0 to 1."""
    ids = {item.name: item for item in segmentation.classes}
    pixels: dict[str, NDArray[np.uint8]] = {}
    found: list[float] = []
    for rule in rules:
        share = segmentation.area_share.get(rule.class_name, 0.0)
        if rule.region is not None and share > 0:
            if rule.class_name not in pixels:
                pixels[rule.class_name] = _pixels_of(segmentation.class_map, ids[rule.class_name])
            share = counter.share(rule.region, pixels[rule.class_name])
        found.append(share)
    return found


def _pixels_of(class_map: ClassMap, item: SegmentationClass) -> NDArray[np.uint8]:
    return np.asarray(cv2.inRange(class_map, item.id, item.id), np.uint8)  # pyright: ignore


def _cropped(mask: NDArray[np.uint8]) -> tuple[_Window, NDArray[np.uint8], int]:
    left, top, width, height = cv2.boundingRect(mask)
    window = slice(top, top + height), slice(left, left + width)
    inside = np.ascontiguousarray(mask[window])
    return window, inside, cv2.countNonZero(inside)
