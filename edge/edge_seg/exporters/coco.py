"""COCO, with run-length masks, so that holes and every pixel are kept.

    {"info": …, "licenses": […], "annotations": […], "images": […], "categories": […]}

One annotation for each 8-connected component of each class but the background: compressed run
lengths (https://cocodataset.org/#format-data), bounding box [x, y, width, height] and area in pixels.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np

from edge_seg.components import Component, components
from edge_seg.dataset import Dataset, Sample
from edge_seg.exporters.labels import Labels, refuse_existing
from edge_seg.exporters.picture import Picture
from edge_seg.extras import require_module
from edge_seg.files import atomic_path
from edge_seg.images import ClassMap
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked


@dataclass(frozen=True)
class Instance:
    """One annotation: class id, compressed run lengths in ASCII, [x, y, width, height], pixels."""

    class_id: int
    counts: str
    bbox: tuple[int, int, int, int]
    area: int


def instances(class_map: ClassMap, canvas_id: int) -> list[Instance]:
    """Split a class map ([h, w] uint8) into its 8-connected components; those of `canvas_id` are left out."""
    found = (item for item in components(class_map, connectivity=8) if item.class_id != canvas_id)
    return [_instance(item, class_map.shape) for item in found]


class CocoFile:
    """An open COCO file; annotations are written as pictures are added."""

    def __init__(self, stream: TextIO, labels: Labels, head: dict[str, Any]) -> None:
        self._stream, self._labels = stream, labels
        self._categories = {item: number for number, item in enumerate(_category_order(labels), start=1)}
        self._images: list[dict[str, Any]] = []
        self._used: set[int] = set()
        self.annotations = 0
        self._stream.write("{" + "".join(f"{_json(key)}:{_json(value)},\n" for key, value in head.items()))
        self._stream.write('"annotations":[')

    def add(self, picture: Picture, found: Sequence[Instance]) -> None:
        """Append one picture with its annotations."""
        number = len(self._images) + 1
        size = {"width": picture.width, "height": picture.height}
        self._images.append({"id": number, "file_name": picture.file_name} | size)
        for instance in found:
            separator = "," if self.annotations else ""
            self.annotations += 1
            self._used.add(instance.class_id)
            self._stream.write(f"{separator}\n{_json(self._annotation(instance, picture, number))}")

    def finish(self) -> None:
        """Write what follows the annotations."""
        self._stream.write(f'],\n"images":{_json(self._images)},\n"categories":{_json(self._category_list())}}}\n')

    def _annotation(self, instance: Instance, picture: Picture, image_id: int) -> dict[str, Any]:
        return {
            "id": self.annotations,
            "image_id": image_id,
            "category_id": self._categories[instance.class_id],
            "segmentation": {"size": [picture.height, picture.width], "counts": instance.counts},
            "bbox": instance.bbox,
            "area": instance.area,
            "iscrowd": 0,
        }

    def _category_list(self) -> list[dict[str, Any]]:
        """All classes; what is ignored only where it occurs, so that trainers do not count a class too many."""
        return [
            {"id": number, "name": self._labels.names[item], "supercategory": ""}
            for item, number in self._categories.items()
            if item != self._labels.ignore_id or item in self._used
        ]


@contextmanager
def coco_file(file: Path, labels: Labels, *, name: str, source: str = "", licence: str = "") -> Generator[CocoFile]:
    """Open a new COCO file; it appears under its name when the block ends without an error.

    Raises:
        DatasetError: `file` exists.
        MissingExtraError: pycocotools is not installed.
    """
    require_module("pycocotools", extra="data", purpose="COCO's run lengths")
    refuse_existing(file)
    head = {
        "info": {"description": name, "contributor": source},
        "licenses": [{"id": 1, "name": licence, "url": ""}] if licence else [],
    }
    with atomic_path(file) as temporary, temporary.open("w", encoding="utf-8") as stream:
        coco = CocoFile(stream, labels, head)
        yield coco
        coco.finish()


@dataclass(frozen=True)
class CocoReport:
    """How many pictures and annotations were written."""

    pictures: int
    annotations: int


def export_coco(dataset: Dataset, samples: Sequence[Sample], file: Path, *, track: Track = untracked) -> CocoReport:
    """Write the masks of `samples` as a COCO file; nothing is lost.

    Raises:
        DatasetError: `file` exists, or a mask does not fit its picture or its classes.
        ImageError: a picture or mask that cannot be decoded.
        MissingExtraError: pycocotools is not installed.
    """
    labels, about = Labels.of(dataset.classes, dataset.ignore_id), dataset.manifest
    with coco_file(file, labels, name=about.name, source=about.source, licence=about.licence) as coco:
        found = map_in_processes(partial(_annotated, dataset, labels.canvas_id), samples)
        for picture, of_picture in track(found, total=len(samples)):
            coco.add(picture, of_picture)
    return CocoReport(len(samples), coco.annotations)


def _annotated(dataset: Dataset, canvas_id: int, sample: Sample) -> tuple[Picture, list[Instance]]:
    _, class_map = dataset.read(sample)
    return Picture.of(sample.image_path, class_map), instances(class_map, canvas_id)


def _category_order(labels: Labels) -> list[int]:
    """Ids of classes in order, then what is ignored. COCO counts categories from 1: 0 is the background."""
    classes = [item for item in sorted(labels.names) if item not in (labels.canvas_id, labels.ignore_id)]
    return [*classes, labels.ignore_id]


def _instance(component: Component, shape: tuple[int, ...]) -> Instance:
    from pycocotools import mask as run_lengths

    height, width = component.mask.shape
    whole = np.zeros(shape, np.uint8, order="F")
    whole[component.y : component.y + height, component.x : component.x + width] = component.mask
    counts = cast("bytes", run_lengths.encode(whole)["counts"]).decode("ascii")
    return Instance(component.class_id, counts, (component.x, component.y, width, height), component.area)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
