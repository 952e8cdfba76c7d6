"""A model's answers as polygons to correct, so that labelling starts from something."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_seg.classes import SegmentationClass
from edge_seg.errors import ModelError
from edge_seg.exporters import Labels, Picture, via_project
from edge_seg.images import ClassMap
from edge_seg.outlines import Outlines, simplify, trace
from edge_seg.progress import Track, untracked
from edge_seg.segmenter import Segmenter
from edge_seg.sources import Source

LEAST_SHARE = 0.001
"""Regions of a smaller share of the picture are left out: deleting them in VIA would be work, too."""


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
    tolerance_px: float | None = None,
    least_share: float = LEAST_SHARE,
    track: Track = untracked,
) -> PrelabelReport:
    """Segment pictures and write their outlines as a VIA 2 project.

    Args:
        segmenter: the model.
        source: the pictures, whose names are those of files in `folder`.
        folder: where the pictures are.
        file: the JSON file to write.
        drawn: the classes to outline; all others count as background.
        tolerance_px: how far simplifying may move an outline; None takes half a pixel of the
            model's input, as its answer is no finer.
        least_share: the smallest share of the picture that a region needs to be drawn.
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
            finest = half_an_input_pixel(segmenter.input_size, class_map.shape)
            outlines = outline(
                class_map,
                labels.canvas_id,
                tolerance_px=finest if tolerance_px is None else tolerance_px,
                least_share=least_share,
            )
            project.add(Picture.of(folder / frame.name, class_map), outlines)
            count, regions, points = count + 1, regions + len(outlines.regions), points + outlines.point_count
            empty += [] if outlines.regions else [frame.name]
    return PrelabelReport(count, regions, points, tuple(empty))


def outline(class_map: ClassMap, canvas_id: int, *, tolerance_px: float, least_share: float = LEAST_SHARE) -> Outlines:
    """Outline an answer ([h, w] uint8) for a person to correct: few points, no specks.

    Args:
        class_map: the answer.
        canvas_id: the class that lies under everything.
        tolerance_px: how far simplifying may move an outline.
        least_share: the smallest share of the picture that a region needs to be drawn.
    """
    exact = trace(class_map, canvas_id, least_area=math.ceil(least_share * class_map.size))
    return simplify(exact, tolerance_px)


def half_an_input_pixel(input_size: tuple[int, int], picture_size: tuple[int, ...]) -> float:
    """Half the side of what one pixel of the model's input covers in the picture, in pixels; at least half of one."""
    return max(1.0, *(size / of_input for size, of_input in zip(picture_size, input_size, strict=True))) / 2


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
