"""Connected components of class maps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import ClassMap


@dataclass(frozen=True, eq=False)
class Component:
    """One component within its bounding box, whose upper left pixel is (x, y)."""

    class_id: int
    x: int
    y: int
    mask: NDArray[np.uint8]
    """[height, width] uint8 of the box: 1 where the component is."""
    area: int
    """Its pixels."""


def components(class_map: ClassMap, connectivity: Literal[4, 8]) -> Iterator[Component]:
    """Yield the components of every id in `class_map` ([h, w] uint8), the lower ids first."""
    for class_id in np.flatnonzero(np.bincount(class_map.ravel(), minlength=256)):
        of_class = (class_map == class_id).view(np.uint8)
        _, labels, boxes, _ = cast(
            "tuple[int, NDArray[np.int32], NDArray[np.int32], object]",
            cv2.connectedComponentsWithStats(of_class, connectivity=connectivity),
        )
        for label, box in enumerate(boxes.tolist()[1:], start=1):
            x, y, width, height, area = box
            mask = (labels[y : y + height, x : x + width] == label).view(np.uint8)
            yield Component(int(class_id), x, y, mask, area)
