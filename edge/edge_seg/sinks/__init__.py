"""Outputs, opened from a URI.

    overlays/  or  overlays:DIR     a folder of JPEG pictures, class colours over each frame
    masks/     or  masks:DIR        a folder of palette PNGs, one class id per pixel
    out.mp4  (.avi, .mkv, .mov)     a video of the overlays
    events.jsonl                    one JSON line per frame, see edge_seg.sinks.events
    window:                         a window on this machine's screen; q ends the run
    http://127.0.0.1:8080           a live page for browsers; elsewhere than on loopback it needs EDGE_SEG_TOKEN

A folder whose own name is `masks` takes masks, any other plain folder overlays; the prefixes say it
for folders of any name.
"""

from collections.abc import Sequence
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.errors import SinkError
from edge_seg.sinks.sink import Painter, Sink, SinkOptions, overlay_painter

__all__ = ["Painter", "Sink", "SinkOptions", "open_sink", "overlay_painter"]

_VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov")
_KINDS = "overlays:DIR, masks:DIR, a folder, out.mp4, events.jsonl, http://HOST:PORT or window:"


def open_sink(uri: str, classes: Sequence[SegmentationClass], options: SinkOptions | None = None) -> Sink:
    """Open an output.

    Args:
        uri: see this module's docstring.
        classes: the model's classes.
        options: how to draw and at what pace frames come; plain overlays when left out.

    Raises:
        SinkError: no output of that kind, or it cannot be written here.
    """
    options = options or SinkOptions(overlay_painter(classes))
    kind, _, rest = uri.partition(":")
    if kind == "window" and not rest:
        from edge_seg.sinks.window import WindowSink

        return WindowSink(options)
    if kind in ("masks", "overlays") and rest:
        return _open_folder(kind, Path(rest), classes, options)
    if kind == "http":
        return _open_page(uri, classes)
    if "://" in uri:
        raise SinkError(f"{uri}: no output goes by '{kind}://'; give {_KINDS}")
    return _open_path(uri, classes, options)


def _open_page(uri: str, classes: Sequence[SegmentationClass]) -> Sink:
    from edge_seg.extras import require_extra
    from edge_seg.web.address import parse_address

    address = parse_address(uri)
    require_extra("web", purpose=f"the live page {uri}")
    from edge_seg.web.live_page import ObservedPage

    return ObservedPage(address, classes)


def _open_path(uri: str, classes: Sequence[SegmentationClass], options: SinkOptions) -> Sink:
    path = Path(uri)
    suffix = path.suffix.lower()
    if suffix == ".jsonl" or uri == "/dev/stdout":
        from edge_seg.sinks.events import EventsSink

        return EventsSink(path)
    if suffix in _VIDEO_SUFFIXES and not path.is_dir():
        from edge_seg.sinks.video import VideoSink

        return VideoSink(path, options)
    if uri.endswith("/") or path.is_dir() or not suffix:
        return _open_folder("masks" if path.name == "masks" else "overlays", path, classes, options)
    raise SinkError(f"{uri}: no output is written as '{suffix}'; give {_KINDS}")


def _open_folder(kind: str, folder: Path, classes: Sequence[SegmentationClass], options: SinkOptions) -> Sink:
    from edge_seg.sinks.folders import MasksSink, OverlaysSink

    return MasksSink(folder, classes) if kind == "masks" else OverlaysSink(folder, options.paint)
