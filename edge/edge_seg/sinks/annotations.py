"""COCO and VIA files of what was seen, with the frames that they annotate.

Neither format can be written to its end before the last frame is known. Every frame's annotations
therefore go to a journal first, one line of JSON each, and become the file when it ends: `via.json`
from `via.json.journal`. A journal that a killed run left behind becomes its file when the next run
opens the same output.

Frames of a camera or of a video are written beside it, as `via_frames/*.jpg`; pictures of a folder
are referred to where they are.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.errors import DatasetError, SinkError
from edge_seg.exporters import Labels, Picture
from edge_seg.result import Result
from edge_seg.sinks.annotation_formats import FORMATS
from edge_seg.sinks.faults import check_output, sink_error
from edge_seg.sinks.folders import write_jpeg
from edge_seg.sinks.journal import Journal, finish_left_behind
from edge_seg.sinks.names import FrameNames
from edge_seg.sinks.rotation import RotatingSink, Rotation, frames_of
from edge_seg.sinks.sink import Sink, SinkOptions


def open_annotations(kind: str, path: Path, classes: Sequence[SegmentationClass], options: SinkOptions) -> Sink:
    """Open a file of annotations, or with a rotation several; finish what a killed run left of it.

    Args:
        kind: one of FORMATS.
        path: the JSON file.
        classes: the model's classes.
        options: tells of rotation, and of pictures that need not be written.

    Raises:
        SinkError: it cannot be written, or without a rotation: it exists.
        MissingExtraError: a package is not installed that the format needs.
    """
    FORMATS[kind].check_installed()
    check_output(path, path.parent)
    try:
        labels = Labels.of(classes)
        finish_left_behind(path)
    except OSError as error:
        raise sink_error(path, error) from None
    except DatasetError as error:
        raise SinkError(f"{path}: {error}") from None
    if options.rotation is None and path.exists():
        raise SinkError(f"{path}: exists already; name another output or remove it first")
    rotation = Rotation() if options.rotation is None else options.rotation.or_hourly
    return RotatingSink(path, partial(AnnotationsFile, kind, labels, options), rotation)


class AnnotationsFile:
    """One file of annotations, and its folder of frames."""

    def __init__(self, kind: str, labels: Labels, options: SinkOptions, path: Path, _: Result) -> None:
        self._path, self._format, self._labels = path, FORMATS[kind], labels
        self._pictures = options.pictures
        self._frames = frames_of(path)
        self._names = FrameNames(self._frames, ".jpg", live=options.live)
        pictures = Path(self._frames.name) if options.pictures is None else options.pictures.resolve()
        self._journal = Journal(path, kind, labels, pictures)
        self._frames_bytes = 0

    @property
    def size_bytes(self) -> int:
        """What was written so far, frames included."""
        return self._journal.size_bytes + self._frames_bytes

    def takes(self, result: Result) -> bool:
        """True: frames of any size may stand in one file."""
        return True

    def write(self, result: Result) -> None:
        """Write the frame, unless it is a picture already, and its annotations to the journal."""
        class_map = result.segmentation.class_map
        self._journal.append(self._picture_of(result), self._format.entries(class_map, self._labels))

    def close(self) -> None:
        """Make the file of the journal."""
        try:
            self._journal.finish()
        except OSError as error:
            raise sink_error(self._path, error) from None

    def _picture_of(self, result: Result) -> Picture:
        frame = result.frame
        try:
            if self._pictures is not None:
                return Picture.of(self._pictures / frame.name, result.segmentation.class_map)
            path = self._frames / f"{self._names.stem_of(frame)}.jpg"
            self._frames_bytes += write_jpeg(path, frame.image)
            return Picture.of(path, result.segmentation.class_map)
        except DatasetError as error:
            raise SinkError(str(error)) from None
        except OSError as error:
            raise sink_error(self._path, error) from None
