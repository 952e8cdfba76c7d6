"""Folders of pictures: masks as palette PNGs, overlays as JPEGs."""

from collections.abc import Sequence
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.errors import ImageError, SinkError
from edge_seg.files import write_bytes
from edge_seg.images import RgbImage, encode_jpeg, write_mask
from edge_seg.result import Result
from edge_seg.sinks.faults import sink_error
from edge_seg.sinks.names import FrameNames
from edge_seg.sinks.sink import Painter

_JPEG_QUALITY = 92


class MasksSink:
    """Writes `name.png` per frame: one byte per pixel, the class id, with the class colours as palette."""

    needs_main_thread = False

    def __init__(self, folder: Path, classes: Sequence[SegmentationClass], *, live: bool = False) -> None:
        self._names = FrameNames(folder, ".png", live=live)
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

    def __init__(self, folder: Path, paint: Painter, *, live: bool = False) -> None:
        self._names = FrameNames(folder, ".jpg", live=live)
        self._paint = paint

    def write(self, result: Result) -> None:
        """Write one picture, whole or not at all."""
        path = self._names.path_of(result.frame)
        write_jpeg(path, self._paint(result))

    def close(self) -> None:
        """Do nothing: every file is whole already."""


def write_jpeg(path: Path, image: RgbImage) -> int:
    """Write [height, width, 3] uint8 RGB, whole or not at all; return its size in bytes.

    Raises:
        SinkError: it cannot be written.
    """
    encoded = encode_jpeg(image, _JPEG_QUALITY)
    try:
        write_bytes(path, encoded)
    except OSError as error:
        raise sink_error(path, error) from None
    return len(encoded)


def _cause(path: Path, error: ImageError) -> SinkError:
    cause = error.__context__
    return sink_error(path, cause) if isinstance(cause, OSError) else SinkError(str(error))
