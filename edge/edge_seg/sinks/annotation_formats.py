"""The formats that annotations are written in: what a frame's annotations are, and how a file is made of them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np

from edge_seg.exporters import Instance, Labels, Picture, coco_file, instances, via_project
from edge_seg.extras import require_module
from edge_seg.images import ClassMap
from edge_seg.outlines import Outlines, Pen, Region, draw

Entry: TypeAlias = dict[str, Any]
"""One region as JSON holds it."""


class AnnotationFormat(Protocol):
    """A format with regions."""

    def check_installed(self) -> None:
        """Raise MissingExtraError unless everything it needs is installed."""
        ...

    def entries(self, class_map: ClassMap, labels: Labels) -> list[Entry]:
        """Return the regions of one class map, [h, w] uint8."""
        ...

    def write(self, file: Path, pictures: Path, labels: Labels, found: Iterable[tuple[Picture, list[Entry]]]) -> None:
        """Write a new file.

        Args:
            file: appears when it is whole.
            pictures: the folder of the pictures.
            labels: names of the ids.
            found: every picture with its regions; read once, one at a time.
        """
        ...


class CocoFormat:
    """COCO with run lengths: every pixel is kept."""

    def check_installed(self) -> None:
        """Ask for pycocotools."""
        require_module("pycocotools", extra="data", purpose="COCO's run lengths")

    def entries(self, class_map: ClassMap, labels: Labels) -> list[Entry]:
        """Return one entry for each component of each class."""
        return [asdict(item) for item in instances(class_map, labels.canvas_id)]

    def write(self, file: Path, pictures: Path, labels: Labels, found: Iterable[tuple[Picture, list[Entry]]]) -> None:
        """Write a COCO file; its `file_name`s are relative to `pictures`."""
        with coco_file(file, labels, name=file.stem) as coco:
            for picture, entries in found:
                coco.add(picture, [Instance(**entry) for entry in entries])


class ViaFormat:
    """A VIA 2 project of polygons that keep an IoU of 0.99 with every class of the picture."""

    def check_installed(self) -> None:
        """Ask for nothing."""

    def entries(self, class_map: ClassMap, labels: Labels) -> list[Entry]:
        """Return one entry for each outline."""
        regions = draw(class_map, labels.canvas_id, Pen()).regions
        return [
            {"class_id": item.class_id, "points": item.points.ravel().tolist(), "area": item.area} for item in regions
        ]

    def write(self, file: Path, pictures: Path, labels: Labels, found: Iterable[tuple[Picture, list[Entry]]]) -> None:
        """Write a project that leads to `pictures`."""
        with via_project(file, pictures, labels) as project:
            for picture, entries in found:
                regions = tuple(map(_region, entries))
                project.add(picture, Outlines(picture.height, picture.width, labels.canvas_id, regions))


FORMATS: Mapping[str, AnnotationFormat] = {"coco": CocoFormat(), "via": ViaFormat()}


def _region(entry: Entry) -> Region:
    return Region(entry["class_id"], np.array(entry["points"], np.int32).reshape(-1, 2), entry["area"])
