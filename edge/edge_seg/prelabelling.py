"""A model's answers as polygons to correct, so that labelling starts from something."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_seg.classes import SegmentationClass
from edge_seg.errors import ModelError
from edge_seg.exporters import Labels, Picture, via_project
from edge_seg.outlines import Pen, draw
from edge_seg.progress import Track, untracked
from edge_seg.segmenter import Segmenter
from edge_seg.sources import Source

DEFAULT_PEN = Pen(least_iou=0.97, least_share=0.001)
"""Coarser than an export: the outlines are to be corrected, and a model's are not exact to the pixel."""


@dataclass(frozen=True)
class PrelabelReport:
    """How many pictures, regions and points were written, and the pictures without any region."""

    pictures: int
    regions: int
    points: int
    empty: tuple[str, ...]


def prelabel(
    segmenter: Segmenter,
    source: Source,
    folder: Path,
    file: Path,
    *,
    drawn: Sequence[SegmentationClass],
    pen: Pen = DEFAULT_PEN,
    track: Track = untracked,
) -> PrelabelReport:
    """Segment pictures and write their outlines as a VIA 2 project.

    Args:
        segmenter: the model.
        source: the pictures, whose names are those of files in `folder`.
        folder: where the pictures are.
        file: the JSON file to write.
        drawn: the classes to outline; all others count as background.
        pen: how finely regions are drawn, and which are too small.
        track: shows progress over pictures.

    Raises:
        DatasetError: `file` exists.
        SourceError: a picture cannot be decoded and the source was not told to leave it out.
        ModelError: the model fails.
    """
    labels = Labels.of(segmenter.classes)
    ids = _ids_drawn(drawn, labels.canvas_id)
    regions = points = count = 0
    empty: list[str] = []
    with via_project(file, folder, labels) as project:
        for frame in track(source, total=source.frame_count):
            class_map = ids[segmenter.segment(frame.image).class_map]
            outlines = draw(class_map, labels.canvas_id, pen)
            project.add(Picture.of(folder / frame.name, class_map), outlines)
            count, regions, points = count + 1, regions + len(outlines.regions), points + outlines.point_count
            empty += [] if outlines.regions else [frame.name]
    return PrelabelReport(count, regions, points, tuple(empty))


def select_classes(
    classes: Sequence[SegmentationClass], *, only: Sequence[str] = (), without: Sequence[str] = ()
) -> tuple[SegmentationClass, ...]:
    """Return the classes named in `only` (none: all), less those in `without` and backgrounds.

    Raises:
        ModelError: a name that no class has, or no class is left.
    """
    known = [item.name for item in classes]
    unknown = [name for name in (*only, *without) if name not in known]
    if unknown:
        raise ModelError(f"the model has no class '{unknown[0]}'; its classes are {', '.join(known)}")
    chosen = [item for item in classes if item.name not in without and (not only or item.name in only)]
    drawn = tuple(item for item in chosen if not item.is_background)
    if not drawn:
        raise ModelError(f"no class is left to draw; the model's classes are {', '.join(known)}")
    return drawn


def _ids_drawn(drawn: Sequence[SegmentationClass], canvas_id: int) -> NDArray[np.uint8]:
    """A look-up table [256] that sends every class but the drawn ones to the canvas."""
    ids = np.full(256, canvas_id, np.uint8)
    for item in drawn:
        ids[item.id] = item.id
    return ids
