"""Outputs, opened from a URI.

    overlays/  or  overlays:DIR     a folder of JPEG pictures, class colours over each frame
    masks/     or  masks:DIR        a folder of palette PNGs, one class id per pixel
    out.mp4  (.mkv)                 a video of the overlays, see edge_seg.sinks.video
    events.jsonl                    one JSON line per frame, see edge_seg.sinks.events
    shares.csv                      the same as comma-separated values
    coco.json                       COCO with run lengths, see edge_seg.sinks.annotations
    via.json                        a VIA 2 project of polygons
    coco:FILE.json, via:FILE.json   the same under any name
    window:                         a window on this machine's screen; q ends the run
    http://127.0.0.1:8080           a live page for browsers; elsewhere than on loopback it needs EDGE_SEG_TOKEN

A folder whose own name is `masks` takes masks, any other plain folder overlays, and a .json whose name
begins with `coco` or `via` takes that format; the prefixes say it for any name.
"""

from collections.abc import Sequence
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.errors import SinkError
from edge_seg.sinks.rotation import Rotation
from edge_seg.sinks.sink import Painter, PaintOnce, Sink, SinkOptions, overlay_painter
from edge_seg.web.address import is_page, parse_address

__all__ = ["PaintOnce", "Painter", "Rotation", "Sink", "SinkOptions", "open_sink", "output_path", "overlay_painter"]

_KINDS = (
    "overlays:DIR, masks:DIR, a folder, out.mp4, events.jsonl, shares.csv, coco.json, via.json, "
    "http://HOST:PORT or window:"
)


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
    if is_page(uri):
        return _open_page(uri, classes)
    if kind in ("coco", "via") and rest.endswith(".json"):
        return _open_annotations(kind, Path(rest), classes, options)
    if kind in ("mqtt", "mqtts", "http", "https") and rest.startswith("//"):
        option = "--mqtt" if kind.startswith("mqtt") else "--webhook"
        raise SinkError(f"{kind}://…: alerts go there, not every frame; give it to {option}, with a rule to --alert")
    if "://" in uri:
        raise SinkError(f"{uri}: no output goes by '{kind}://'; give {_KINDS}")
    return _open_path(uri, classes, options)


def _open_page(uri: str, classes: Sequence[SegmentationClass]) -> Sink:
    from edge_seg.extras import require_extra

    address = parse_address(uri)
    require_extra("web", purpose=f"the live page {uri}")
    from edge_seg.web.live_page import ObservedPage

    return ObservedPage(address, classes)


def output_path(uri: str) -> Path | None:
    """Return the file or folder that `open_sink` writes for a URI, or None for what is on no disk."""
    kind, _, rest = uri.partition(":")
    if kind in ("masks", "overlays", "coco", "via") and rest:
        return Path(rest)
    return None if uri == "window:" or uri.startswith("/dev/") or is_page(uri) else Path(uri)


def _open_path(uri: str, classes: Sequence[SegmentationClass], options: SinkOptions) -> Sink:
    path = Path(uri)
    suffix = path.suffix.lower()
    if suffix == ".jsonl" or uri == "/dev/stdout":
        from edge_seg.sinks.lines import open_events

        return open_events(path, _if_asked(options))
    if suffix == ".csv":
        from edge_seg.sinks.lines import open_shares

        return open_shares(path, classes, _if_asked(options))
    if suffix in (".mp4", ".mkv") and not path.is_dir():
        from edge_seg.sinks.video import open_video

        return open_video(path, options)
    if suffix == ".json" and path.name.startswith(("coco", "via")):
        return _open_annotations("coco" if path.name.startswith("coco") else "via", path, classes, options)
    if uri.endswith("/") or path.is_dir() or not suffix:
        return _open_folder("masks" if path.name == "masks" else "overlays", path, classes, options)
    raise SinkError(f"{uri}: no output is written as '{suffix}'; give {_KINDS}")


def _open_folder(kind: str, folder: Path, classes: Sequence[SegmentationClass], options: SinkOptions) -> Sink:
    from edge_seg.sinks.folders import MasksSink, OverlaysSink

    if kind == "masks":
        return MasksSink(folder, classes, live=options.live)
    return OverlaysSink(folder, options.paint, live=options.live)


def _open_annotations(kind: str, path: Path, classes: Sequence[SegmentationClass], options: SinkOptions) -> Sink:
    from edge_seg.sinks.annotations import open_annotations

    return open_annotations(kind, path, classes, options)


def _if_asked(options: SinkOptions) -> Rotation | None:
    return options.rotation if options.rotation and options.rotation.is_asked else None
