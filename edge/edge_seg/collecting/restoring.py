"""What a folder kept in earlier runs, read back from the project and its pictures; there is no other state."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_seg.collecting.diversity import SIDE, Look
from edge_seg.collecting.project import Json
from edge_seg.dataset.near_duplicates import fingerprint
from edge_seg.errors import ImageError
from edge_seg.exporters import Labels
from edge_seg.exporters.via import LABEL_ATTRIBUTE
from edge_seg.images import ClassMap, read_image


def kept_looks(folder: Path, pictures: Sequence[Json], labels: Labels) -> Iterator[Look]:
    """Yield what `pictures`, entries of a project in `folder`, look like; absent ones are left out."""
    for entry in pictures:
        with suppress(ImageError):  # deleted by hand: then it may be kept again
            image = read_image(folder / str(entry.get("filename")))
            yield Look(fingerprint(image), thumbnail_map(entry, (image.shape[0], image.shape[1]), labels))


def thumbnail_map(entry: Json, size: tuple[int, int], labels: Labels) -> ClassMap:
    """Paint the polygons of an entry as [48, 48] uint8 class ids; other shapes and labels are left out.

    Args:
        entry: a picture as VIA stores it.
        size: (height, width) of the picture.
        labels: names of the ids.
    """
    ids = {name: item for item, name in labels.names.items()}
    painted = np.full((SIDE, SIDE), labels.canvas_id, np.uint8)
    scale = np.array([SIDE / size[1], SIDE / size[0]])
    for region in entry.get("regions", ()):
        points, class_id = _polygon(region), ids.get(_label(region))
        if points is not None and class_id is not None:
            cv2.fillPoly(painted, [np.floor((points + 0.5) * scale).astype(np.int32)], class_id)
    return painted


def _polygon(region: Any) -> Any:
    try:
        shape = region["shape_attributes"]
        points = np.array([shape["all_points_x"], shape["all_points_y"]], np.float64).T
    except (KeyError, TypeError, ValueError):
        return None
    return points if points.ndim == 2 and len(points) else None


def _label(region: Any) -> str:
    try:
        return str(region["region_attributes"][LABEL_ATTRIBUTE])
    except (KeyError, TypeError):
        return ""
