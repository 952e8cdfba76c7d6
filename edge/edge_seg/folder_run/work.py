"""What each process of a run over a folder does with its pictures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from edge_seg.errors import ImageError
from edge_seg.images import read_image
from edge_seg.result import Result
from edge_seg.segmenter import Segmentation, Segmenter
from edge_seg.sinks import Sink, SinkOptions, open_sink, overlay_painter
from edge_seg.sinks.lines import LineOf, line_format
from edge_seg.sources import Frame


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
    lines: tuple[bytes, ...] = ()
    """One for each file of lines; none for a picture that was left out."""
    result: Result | None = None
    """For outputs that are made as a whole, if there are any."""


@dataclass(frozen=True)
class Wanted:
    """What the process that started the others wants back."""

    pieces: tuple[str, ...]
    """Outputs that are one file a picture, written here."""
    lines: tuple[Path, ...]
    """Files of lines, which are made here and written there."""
    result: bool
    """True to have the picture and its class map, which take far more time to send than a line."""


@dataclass(frozen=True)
class _Tools:
    segmenter: Segmenter
    sinks: tuple[Sink, ...]
    line_formats: tuple[LineOf, ...]


def do_pictures(work: Work, wanted: Wanted, pictures: Sequence[Picture]) -> list[Done]:
    """Read, segment and write a few pictures.

    Raises:
        SinkError: an output cannot be written.
    """
    tools = _tools(work, wanted)
    return [_do_picture(work.folder, tools, picture, wanted) for picture in pictures]


def _do_picture(folder: Path, tools: _Tools, picture: Picture, wanted: Wanted) -> Done:
    try:
        image = read_image(folder / picture.name)
    except ImageError as error:
        return Done(picture.index, str(error), (0.0, 0.0, 0.0))
    frame = Frame(image, picture.index, time.time(), picture.name)
    result = Result(frame, tools.segmenter.segment(image))
    for sink in tools.sinks:
        sink.write(replace(result, frame=replace(frame, name=f"{picture.stem}.x")))
    lines = tuple(line_of(result) for line_of in tools.line_formats)
    return Done(picture.index, None, _stage_ms(result.segmentation), lines, result if wanted.result else None)


def open_segmenter(work: Work) -> Segmenter:
    """Load the model.

    Raises:
        ModelError: as `Segmenter.load`.
    """
    return Segmenter.load(
        work.model, runtime=work.runtime, threads=work.threads, labels=work.labels, input_range=work.input_range
    )


@lru_cache(maxsize=1)
def _tools(work: Work, wanted: Wanted) -> _Tools:
    segmenter = open_segmenter(work)
    options = SinkOptions(overlay_painter(segmenter.classes, work.opacity))
    return _Tools(
        segmenter,
        tuple(open_sink(uri, segmenter.classes, options) for uri in wanted.pieces),
        tuple(line_format(path, segmenter.classes) for path in wanted.lines),
    )


def _stage_ms(segmentation: Segmentation) -> tuple[float, float, float]:
    return segmentation.preprocess_ms, segmentation.invoke_ms, segmentation.postprocess_ms
