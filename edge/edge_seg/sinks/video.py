"""A video of the overlays that is playable at any time, also after a kill or a power cut.

A fragment of at most a second is appended as soon as it is complete, and every ten seconds the disk
is made to have it: that much a kill, and that much a power cut, may cost. A frame is shown as long as
it was the newest, so a live video keeps its time however many frames were dropped.
"""

import time
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path

from edge_seg.errors import SinkError
from edge_seg.files import atomic_path
from edge_seg.result import Result
from edge_seg.sinks.appending import AppendedFile
from edge_seg.sinks.faults import check_output, sink_error
from edge_seg.sinks.fragmented_mp4 import TIMESCALE, Sample, mp4_fragment, mp4_header
from edge_seg.sinks.matroska import mkv_cluster, mkv_header
from edge_seg.sinks.mpeg4_encoder import Mpeg4Encoder, Packet
from edge_seg.sinks.rotation import RotatingSink
from edge_seg.sinks.sink import Sink, SinkOptions

_CONTAINERS = {".mp4": (mp4_header, mp4_fragment), ".mkv": (mkv_header, mkv_cluster)}
_DEFAULT_FPS = 25.0
_FRAGMENT_S = 1.0
_TO_DISK_S = 10.0
_LONGEST_LAST_FRAME_S = 1.0


def open_video(path: Path, options: SinkOptions) -> Sink:
    """Open a video: one file, renamed to its name once it is whole, or with a rotation one after the other.

    Raises:
        SinkError: its folder cannot be written into.
    """
    if options.rotation is None:
        return WholeVideoSink(path, options)
    return RotatingSink(path, partial(VideoFile, options), options.rotation.or_hourly)


class VideoFile:
    """One video file, appended to fragment by fragment."""

    def __init__(self, options: SinkOptions, path: Path, first: Result, *, named: Path | None = None) -> None:
        """Begin a video of the size of the first result; errors name `named` in place of `path`.

        Raises:
            SinkError: it cannot be encoded.
        """
        named = named or path
        self._file, self._options = AppendedFile(path, named=named), options
        self._make_header, self._make_fragment = _CONTAINERS[path.suffix.lower()]
        self._height, self._width = first.frame.image.shape[:2]
        self._fps = options.fps or _DEFAULT_FPS
        self._began_s = first.frame.captured_monotonic_s
        self._written = self._fragments = 0
        self._waiting: list[tuple[Packet, int]] = []
        self._due_to_disk_s = time.monotonic() + _TO_DISK_S
        try:
            self._encoder = Mpeg4Encoder(self._width, self._height, self._fps)
        except OSError as error:
            raise sink_error(named, error) from None
        except SinkError as error:
            raise SinkError(f"{named}: {error}") from None

    @property
    def size_bytes(self) -> int:
        """What was written so far."""
        return self._file.size_bytes

    def takes(self, result: Result) -> bool:
        """True for a frame of this video's size."""
        return result.frame.image.shape[:2] == (self._height, self._width)

    def write(self, result: Result) -> None:
        """Encode one frame, and append the fragment that it makes complete."""
        ticks = self._ticks_of(result)
        if self._waiting and ticks - self._waiting[0][1] >= _FRAGMENT_S * TIMESCALE:
            self._append_fragment(ticks)
        self._waiting.append((self._encoder.encode(self._options.paint(result)), ticks))
        self._written += 1

    def close(self) -> None:
        """Append what is left."""
        try:
            if self._waiting:
                self._append_fragment(self._waiting[-1][1] + self._last_duration())
                self._file.to_disk()
        finally:
            self._encoder.close()
            self._file.close()

    def _ticks_of(self, result: Result) -> int:
        """When a frame is shown; every one later than the one before."""
        live_s = result.frame.captured_monotonic_s - self._began_s
        ticks = round((live_s if self._options.live else self._written / self._fps) * TIMESCALE)
        return max(ticks, self._waiting[-1][1] + 1) if self._waiting else ticks

    def _last_duration(self) -> int:
        if len(self._waiting) < 2:
            return round(TIMESCALE / self._fps)
        return min(self._waiting[-1][1] - self._waiting[-2][1], round(_LONGEST_LAST_FRAME_S * TIMESCALE))

    def _append_fragment(self, ends_at: int) -> None:
        waiting, self._waiting = self._waiting, []
        ticks = [*(start for _, start in waiting), ends_at]
        durations = (after - start for start, after in pairwise(ticks))
        samples = [
            Sample(packet.data, duration, packet.is_key)
            for (packet, _), duration in zip(waiting, durations, strict=True)
        ]
        self._fragments += 1
        fragment = self._make_fragment(self._fragments, ticks[0], samples)
        self._file.append(fragment if self._fragments > 1 else self._header(waiting[0][0]) + fragment)
        if time.monotonic() >= self._due_to_disk_s:
            self._file.to_disk()
            self._due_to_disk_s = time.monotonic() + _TO_DISK_S

    def _header(self, first: Packet) -> bytes:
        return self._make_header(self._width // 2 * 2, self._height // 2 * 2, first.decoder_config, time.time())


class WholeVideoSink:
    """One video, renamed to its name once it is whole and removed when it cannot be."""

    needs_main_thread = False

    def __init__(self, path: Path, options: SinkOptions) -> None:
        self._path, self._options = path, options
        self._file: VideoFile | None = None
        self._name_at_end = ExitStack()
        check_output(path, path.parent)

    def write(self, result: Result) -> None:
        """Append one frame."""
        with self._name_at_end.pop_all() as last:
            self._file = self._file or self._begin(last, result)
            if not self._file.takes(result):
                raise SinkError(_another_size(self._path, result))
            self._file.write(result)
            self._name_at_end = last.pop_all()

    def close(self) -> None:
        """Finish the file and give it its name."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with self._name_at_end.pop_all():
                file.close()
        except OSError as error:
            raise sink_error(self._path, error) from None

    def _begin(self, stack: ExitStack, first: Result) -> VideoFile:
        try:
            part = stack.enter_context(atomic_path(self._path))
        except OSError as error:
            raise sink_error(self._path, error) from None
        return VideoFile(self._options, part, first, named=self._path)


def _another_size(path: Path, result: Result) -> str:
    height, width = result.frame.image.shape[:2]
    return f"{path}: a video has one size, but then came a frame of {width}×{height}; write such frames to a folder"
