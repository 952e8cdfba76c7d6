"""Folders of pictures: masks as palette PNGs, overlays as JPEGs."""

from collections.abc import Sequence
from pathlib import Path

import cv2

from edge_seg.classes import SegmentationClass
from edge_seg.errors import ImageError, SinkError
from edge_seg.files import write_bytes
from edge_seg.images import write_mask
from edge_seg.result import Result
from edge_seg.sinks.faults import check_output, sink_error
from edge_seg.sinks.sink import Painter
from edge_seg.sources.frame import Frame

_JPEG_QUALITY = 92


class MasksSink:
    """Writes `name.png` per frame: one byte per pixel, the class id, with the class colours as palette."""

    needs_main_thread = False

    def __init__(self, folder: Path, classes: Sequence[SegmentationClass]) -> None:
        self._names = _Names(folder, ".png")
        self._colours = [item.rgb for item in classes]

    def write(self, result: Result) -> None:
        """Write one mask, whole or not at all."""
        path = self._names.path_of(result.frame)
        try:
            write_mask(path, result.segmentation.class_map, self._colours)
        except ImageError as error:
            raise _cause(path, error) from None

    def close(self) -> None:
        """Do nothing: every file is whole already."""


class OverlaysSink:
    """Writes `name.jpg` per frame: the frame with the class colours over it."""

    needs_main_thread = False

    def __init__(self, folder: Path, paint: Painter) -> None:
        self._names = _Names(folder, ".jpg")
        self._paint = paint

    def write(self, result: Result) -> None:
        """Write one picture, whole or not at all."""
        path = self._names.path_of(result.frame)
        bgr = cv2.cvtColor(self._paint(result), cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        try:
            write_bytes(path, encoded.tobytes())
        except OSError as error:
            raise sink_error(path, error) from None

    def close(self) -> None:
        """Do nothing: every file is whole already."""


class _Names:
    """Names files after frames; two frames of one stem (a.jpg, a.png) keep their suffix apart."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder, self._suffix = folder, suffix
        self._given: set[str] = set()
        check_output(folder, folder)

    def path_of(self, frame: Frame) -> Path:
        stem = Path(frame.name).stem
        if stem in self._given:
            stem = Path(frame.name).name.replace(".", "_")
        self._given.add(stem)
        return self._folder / f"{stem}{self._suffix}"


def _cause(path: Path, error: ImageError) -> SinkError:
    cause = error.__context__
    return sink_error(path, cause) if isinstance(cause, OSError) else SinkError(str(error))
