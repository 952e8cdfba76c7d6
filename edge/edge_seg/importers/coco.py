"""COCO instances (https://cocodataset.org/#format-data): polygons, run lengths and crowds.

Annotations are drawn in the order of the file, crowds below everything else, since single objects
are annotated on top of them. The polygons of one annotation are its parts.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotatedPicture, AnnotationFile, DrawingStyle, Region
from edge_seg.importers.bitmaps import RunLengths
from edge_seg.importers.coordinates import coordinates, flat_points
from edge_seg.importers.shapes import Outline, Parts, Shape
from edge_seg.importers.streaming import JsonObject, check_json, items, json_object, top_level_keys
from edge_seg.importers.wording import quoted, shown

_KEYS = frozenset({"images", "annotations", "categories"})
_CROWD_LAYER = -1


class Coco:
    """COCO's instances_*.json."""

    name = "coco"
    title = "COCO instances"
    suffixes = frozenset({".json"})
    label_attribute = "category"

    def recognises(self, path: Path) -> bool:
        """True for JSON with images, annotations and categories."""
        return set(top_level_keys(path)) >= _KEYS

    def read(self, path: Path) -> AnnotationFile:
        """Read images and annotations lazily; the class order is that of the categories."""
        if not self.recognises(path):
            check_json(path, item_depth=1)  # not JSON at all is another sentence
            keys = ", ".join(top_level_keys(path))
            raise AnnotationError(
                f"{path}: is not COCO JSON (its keys are '{shown(keys)}'); it has images, annotations and categories"
            )
        check_json(path, item_depth=3)
        categories = _categories(path)
        order = tuple(dict.fromkeys(str(item["category"]) for item in categories.values()))
        return AnnotationFile(order, _pictures(path, categories))

    def shape(self, geometry: Any, size: tuple[int, int], style: DrawingStyle, where: str) -> Shape | None:
        """Make a shape of (segmentation, bbox)."""
        del size
        segmentation, box = geometry
        if isinstance(segmentation, dict):
            return _run_lengths(cast(JsonObject, segmentation), where)
        if isinstance(segmentation, list) and segmentation:
            return Parts(
                tuple(
                    Outline((flat_points(ring, "segmentation", where, shape="polygon", least=3),))
                    for ring in cast(list[object], segmentation)
                )
            )
        if not style.fill_boxes:
            raise AnnotationError(
                f"{where}: has no segmentation, only a box; fill boxes with  --fill-boxes  or outline the object"
            )
        return filled_box(box, where)


def filled_box(box: object, where: str) -> Outline:
    """Return the area of a [left, top, width, height] box.

    Raises:
        AnnotationError: not four coordinates, or no area.
    """
    values = coordinates(box, "bbox", where)
    if len(values) != 4 or values[2] <= 0 or values[3] <= 0:
        raise AnnotationError(f"{where}: bbox is {shown(values)}, not left, top, width and height; correct it")
    left, top, width, height = values
    right, bottom = left + width, top + height
    return Outline((np.array([(left, top), (right, top), (right, bottom), (left, bottom)]),))


def _run_lengths(found: JsonObject, where: str) -> RunLengths:
    counts, size = found.get("counts"), found.get("size")
    if not isinstance(size, list) or [type(item) for item in cast(list[object], size)] != [int, int]:
        raise AnnotationError(
            f"{where}: its mask has the size {shown(cast(object, size))}, not [height, width]; correct it"
        )
    if isinstance(counts, list) and counts and all(type(item) is int for item in cast(list[object], counts)):
        counts = tuple(cast(list[int], counts))
    elif not isinstance(counts, str):
        raise AnnotationError(f"{where}: its mask has no counts, neither numbers nor text; export it again")
    height, width = cast(list[int], size)
    return RunLengths(counts, (height, width))


def _categories(path: Path) -> dict[object, Mapping[str, object]]:
    """Return category id to the attributes that its annotations get."""
    found: dict[object, Mapping[str, object]] = {}
    for item in items(path, "categories"):
        entry = json_object(item) or {}
        name, key = entry.get("name"), entry.get("id")
        if not isinstance(name, str) or not isinstance(key, int | str):
            raise AnnotationError(f"{path}: a category has no name or no id; correct it")
        found[key] = {"category": name, "supercategory": entry.get("supercategory")}
    return found


def _pictures(path: Path, categories: Mapping[object, Mapping[str, object]]) -> Iterator[AnnotatedPicture]:
    """Yield every image without regions, then every annotation with its image's name."""
    names: dict[object, str] = {}
    for item in items(path, "images"):
        entry = json_object(item) or {}
        name, key = entry.get("file_name"), entry.get("id")
        if not isinstance(name, str) or not name or not isinstance(key, int | str):
            raise AnnotationError(f"{path}: an image has no file_name or no id; correct it")
        if key in names:
            raise AnnotationError(f"{path}: two images have the id '{shown(key, 40)}'; give each its own")
        names[key] = name
        yield AnnotatedPicture(name, (), size=_size(entry), complete=False)
    for number, item in enumerate(items(path, "annotations"), 1):
        entry = json_object(item) or {}
        image, category = entry.get("image_id"), entry.get("category_id")
        where = f"{path}: annotation {quoted(entry.get('id', number), 20)}"
        if not isinstance(image, int | str) or image not in names:
            raise AnnotationError(f"{where}: its image_id '{shown(image, 40)}' is no image; correct it")
        if not isinstance(category, int | str) or category not in categories:
            raise AnnotationError(f"{where}: its category_id '{shown(category, 40)}' is no category; correct it")
        attributes = {**(json_object(entry.get("attributes")) or {}), **categories[category]}
        layer = _CROWD_LAYER if entry.get("iscrowd") == 1 else 0
        region = Region(number, attributes, (entry.get("segmentation"), entry.get("bbox")), layer)
        yield AnnotatedPicture(names[image], (region,), complete=False)


def _size(entry: JsonObject) -> tuple[int, int] | None:
    width, height = entry.get("width"), entry.get("height")
    return (width, height) if type(width) is int and type(height) is int else None
