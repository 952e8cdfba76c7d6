"""What each process of a run over a folder does with one picture."""

import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from edge_seg.errors import ImageError
from edge_seg.images import read_image
from edge_seg.result import Result
from edge_seg.segmenter import Segmentation, Segmenter
from edge_seg.sinks import Sink, SinkOptions, open_sink, overlay_painter
from edge_seg.sources import Frame

_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Work:
    """What is the same for all pictures; goes to every process."""

    folder: Path
    model: Path
    runtime: str
    threads: int
    labels: tuple[str, ...] | None
    input_range: str | None
    opacity: float


@dataclass(frozen=True)
class Picture:
    """One picture to be done."""

    index: int
    name: str
    stem: str
    """What its files in folders are called."""


@dataclass(frozen=True)
class Done:
    """What became of a picture."""

    index: int
    refusal: str | None
    """Why it was left out, or None."""
    stage_ms: tuple[float, float, float]
    """Before, in and after the network."""
    result: Result | None
    """For outputs that have an order; without the picture itself unless one of them wants it."""


@dataclass(frozen=True)
class Wanted:
    """What the process that started the others wants back."""

    pieces: tuple[str, ...]
    """Outputs that are one file a picture, written here."""
    result: bool
    picture: bool


def do_picture(work: Work, wanted: Wanted, picture: Picture) -> Done:
    """Read, segment and write one picture.

    Raises:
        SinkError: an output cannot be written.
    """
    segmenter, sinks = _tools(work, wanted.pieces)
    try:
        image = read_image(work.folder / picture.name)
    except ImageError as error:
        return Done(picture.index, str(error), (0.0, 0.0, 0.0), None)
    frame = Frame(image, picture.index, time.time(), picture.name)
    result = Result(frame, segmenter.segment(image))
    for sink in sinks:
        sink.write(replace(result, frame=replace(frame, name=f"{picture.stem}.x")))
    return Done(picture.index, None, _stage_ms(result.segmentation), _sent_back(result, wanted))


def open_segmenter(work: Work) -> Segmenter:
    """Load the model.

    Raises:
        ModelError: as `Segmenter.load`.
    """
    return Segmenter.load(
        work.model, runtime=work.runtime, threads=work.threads, labels=work.labels, input_range=work.input_range
    )


@lru_cache(maxsize=1)
def _tools(work: Work, pieces: tuple[str, ...]) -> tuple[Segmenter, tuple[Sink, ...]]:
    segmenter = open_segmenter(work)
    options = SinkOptions(overlay_painter(segmenter.classes, work.opacity))
    return segmenter, tuple(open_sink(uri, segmenter.classes, options) for uri in pieces)


def _sent_back(result: Result, wanted: Wanted) -> Result | None:
    if not wanted.result:
        return None
    _ = result.segmentation.area_share  # counted here, where it takes no time from the others
    return result if wanted.picture else replace(result, frame=replace(result.frame, image=_NO_PICTURE))


def _stage_ms(segmentation: Segmentation) -> tuple[float, float, float]:
    return segmentation.preprocess_ms, segmentation.invoke_ms, segmentation.postprocess_ms
