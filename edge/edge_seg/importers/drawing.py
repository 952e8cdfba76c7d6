"""Drawing one picture's regions as its mask, in a worker process."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_seg.classes import SegmentationClass
from edge_seg.dataset import Sample
from edge_seg.errors import AnnotationError, ImageError
from edge_seg.images import ClassMap, PictureSize, decoded_size, upright_mask, write_mask
from edge_seg.importers.annotations import AnnotationFormat, DrawingStyle
from edge_seg.importers.labels import LabelRules, class_ids
from edge_seg.importers.region_store import unpacked
from edge_seg.importers.shapes import closes_on_itself, lies_outside, paint
from edge_seg.importers.wording import shown


@dataclass(frozen=True)
class DrawingTask:
    """One picture to draw, with what a worker process needs."""

    picture: Path
    place: Sample
    name: str
    size: tuple[int, int] | None
    regions: Sequence[bytes]


@dataclass(frozen=True)
class Drawn:
    """What became of a picture.

    Attributes:
        fault: a sentence when it is to be left out.
        closed_polylines: lines drawn that end where they began.
    """

    fault: str | None = None
    closed_polylines: int = 0


@dataclass(frozen=True)
class Drawer:
    """What is the same for all pictures of an import."""

    annotation_format: AnnotationFormat
    attributes: Mapping[Path, str]
    rules: LabelRules
    style: DrawingStyle
    ids: dict[str, int]
    colours: list[tuple[int, int, int]]
    skip_bad: bool

    @classmethod
    def make(
        cls,
        annotation_format: AnnotationFormat,
        attributes: Mapping[Path, str],
        rules: LabelRules,
        style: DrawingStyle,
        classes: Sequence[SegmentationClass],
        *,
        skip_bad: bool,
    ) -> "Drawer":
        """Settle ids and colours for `classes`."""
        colours = [item.rgb for item in classes]
        return cls(annotation_format, attributes, rules, style, class_ids(classes), colours, skip_bad)


def draw(drawer: Drawer, task: DrawingTask) -> Drawn:
    """Write a picture and its mask to their place.

    Raises:
        AnnotationError: the picture cannot be decoded, or a region not drawn, and bad ones are not skipped.
    """
    try:
        mask, closed_polylines = _mask(drawer, task)
    except AnnotationError as error:
        if drawer.skip_bad:
            return Drawn(str(error))
        raise
    shutil.copyfile(task.picture, task.place.image_path)
    write_mask(task.place.mask_path, mask, drawer.colours)
    return Drawn(closed_polylines=closed_polylines)


def _mask(drawer: Drawer, task: DrawingTask) -> tuple[ClassMap, int]:
    """Return the mask, and how many polylines in it close on themselves."""
    try:
        size = decoded_size(task.picture)
    except ImageError as error:
        raise AnnotationError(str(error)) from None
    width, height = drawn_on = _canvas(task, size)
    class_map, closed_polylines = np.zeros((height, width), np.uint8), 0
    regions = sorted((unpacked(content) for content in task.regions), key=lambda found: found[1].layer)
    for file, region in regions:
        where = f"{file}: {shown(task.name)}, region {region.number}"
        label = drawer.rules.class_of(region.attributes, drawer.attributes[file], where)
        shape = drawer.annotation_format.shape(region.geometry, drawn_on, drawer.style, where) if label else None
        if shape is None:
            continue
        if lies_outside(shape, height, width):
            raise AnnotationError(
                f"{where}: lies outside the picture, which is {width}×{height}; "
                "use the pictures the annotation was made on"
            )
        paint(class_map, shape, drawer.ids[label], where)
        closed_polylines += closes_on_itself(shape)
    upright = class_map if drawn_on == size.upright else upright_mask(class_map, size.orientation)
    return upright, closed_polylines


def _canvas(task: DrawingTask, size: PictureSize) -> tuple[int, int]:
    """Return the (width, height) that the annotations are meant for: upright, or as stored before EXIF turned it."""
    if task.size is None or task.size == size.upright:
        return size.upright
    if task.size == size.stored:
        return size.stored
    (width, height), (picture_width, picture_height) = task.size, size.upright
    raise AnnotationError(
        f"{task.picture}: is {picture_width}×{picture_height} but was annotated at {width}×{height}; "
        "use the pictures the annotation was made on"
    )
