"""A video of the overlays, renamed to its name once it is whole."""

import errno
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2

from edge_seg.errors import SinkError
from edge_seg.files import make_folder, remove_empty
from edge_seg.images import RgbImage
from edge_seg.result import Result
from edge_seg.runtimes.quiet import quiet_stderr
from edge_seg.sinks.faults import check_output, sink_error
from edge_seg.sinks.sink import SinkOptions

_DEFAULT_FPS = 25.0
_CODECS = {".avi": "MJPG"}
_DEFAULT_CODEC = "mp4v"
_LONGEST_GAP_S = 10.0


class VideoSink:
    """Writes a constant-rate video; for a live source frames are repeated where some were dropped."""

    needs_main_thread = False

    def __init__(self, path: Path, options: SinkOptions) -> None:
        self._path, self._options = path, options
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
        self._fps = options.fps or _DEFAULT_FPS
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._started_at = 0.0
        self._written = 0
        self._made: Sequence[Path] = ()
        check_output(path, path.parent)

    def write(self, result: Result) -> None:
        """Append one frame."""
        bgr = cv2.cvtColor(self._options.paint(result), cv2.COLOR_RGB2BGR)
        writer = self._writer_for(result.frame.image)
        if self._written == 0:
            self._started_at = result.frame.captured_at
        for _ in range(self._repeats(result.frame.captured_at)):
            writer.write(bgr)
            self._written += 1

    def close(self) -> None:
        """Finish the file and give it its name; a file that is short of frames is removed."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        try:
            writer.release()
            self._check_complete()
            self._part.replace(self._path)
        except OSError as error:
            raise sink_error(self._path, error) from None
        finally:
            self._discard()

    def _discard(self) -> None:
        """Remove the unfinished file and the folders made for it; those in use stay."""
        self._part.unlink(missing_ok=True)
        remove_empty(self._made)

    def _repeats(self, captured_at: float) -> int:
        """Return how often a frame is written so that the video keeps the time of a live source."""
        if not self._options.live:
            return 1
        due = round((captured_at - self._started_at) * self._fps) + 1
        return min(max(due - self._written, 0), round(_LONGEST_GAP_S * self._fps))

    def _writer_for(self, image: RgbImage) -> cv2.VideoWriter:
        height, width = image.shape[:2]
        if self._writer is None:
            self._size = (width, height)
            self._writer = self._open()
        if (width, height) != self._size:
            raise SinkError(
                f"{self._path}: a video has one size, {self._size[0]}×{self._size[1]}, but then came a "
                f"frame of {width}×{height}; write such frames to a folder"
            )
        return self._writer

    def _open(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*_CODECS.get(self._path.suffix.lower(), _DEFAULT_CODEC))
        self._made = self._make_folder()
        with quiet_stderr():
            writer = cv2.VideoWriter(str(self._part), codec, self._fps, self._size)
        if not writer.isOpened():
            full = shutil.disk_usage(self._path.parent).free == 0
            self._discard()
            if full:
                raise sink_error(self._path, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
            raise SinkError(
                f"{self._path}: OpenCV cannot write this video ({self._size[0]}×{self._size[1]}); give an .mp4 or .avi"
            )
        return writer

    def _make_folder(self) -> Sequence[Path]:
        try:
            return make_folder(self._path.parent)
        except OSError as error:
            raise sink_error(self._path, error) from None

    def _check_complete(self) -> None:
        """Read the frame count back: OpenCV's writer does not say when the disk is full."""
        with quiet_stderr():
            capture = cv2.VideoCapture(str(self._part))
        found = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        capture.release()
        if found < self._written:
            raise SinkError(
                f"{self._path}: only {found} of {self._written} frames reached the disk, which is "
                "probably full; free some space or write to another disk"
            )
