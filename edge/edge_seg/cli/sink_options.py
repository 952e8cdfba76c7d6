"""Options of what is written and of the disk it is written to, and the sinks that are made of them."""

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edge_seg.cli.live_status import tell
from edge_seg.cli.times import seconds_of
from edge_seg.free_space import FreeSpace, WhenFull

if TYPE_CHECKING:
    from pathlib import Path

    from edge_seg.classes import SegmentationClass
    from edge_seg.sinks import Sink, SinkOptions

_PANEL = "Recordings"
_BYTES = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_size(text: str) -> int:
    """Return the bytes of `500MB`, `2GB` or `64k`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", text.strip().lower())
    if match is None:
        raise typer.BadParameter(f"'{text}' is no size; write  100MB  or  2GB")
    return round(float(match[1]) * _BYTES[match[2]])


RotateOption = Annotated[
    float | None,
    typer.Option(
        parser=seconds_of,
        metavar="TIME",
        help="Begin a new file after so long: 10m  1h  1d; out.mp4 is followed by out_20261125T110500Z.mp4. "
        "Left out: videos, COCO and VIA files hourly, lines never.",
        rich_help_panel=_PANEL,
    ),
]
RotateSizeOption = Annotated[
    int | None,
    typer.Option(
        parser=parse_size, metavar="SIZE", help="Begin a new file at this size: 100MB.", rich_help_panel=_PANEL
    ),
]
KeepFreeOption = Annotated[
    int,
    typer.Option(
        parser=parse_size,
        metavar="SIZE",
        help="Leave so much of the disk free; 0: write it full.",
        rich_help_panel=_PANEL,
    ),
]
WhenFullOption = Annotated[
    WhenFull,
    typer.Option(
        help="When less is free: write nothing until there is room again, delete the oldest of its own "
        "recordings (those with a time in their name), or end the run.",
        rich_help_panel=_PANEL,
    ),
]
KEEP_FREE: Any = "200MB"  # what the option's parser reads


def open_camera_sinks(
    uris: Sequence[str],
    classes: "Sequence[SegmentationClass]",
    options: "SinkOptions",
    space: FreeSpace,
    *,
    on_failure: Callable[[str, str], None] = lambda _, __: None,
) -> "list[Sink]":
    """Open outputs that fail, hang and come back without the camera's noticing, all or none of them.

    `on_failure` is told the URI and why whenever a write or an opening failed, on any thread.

    Raises:
        SinkError: one cannot be opened.
    """
    from edge_seg.sinks import output_path

    outputs = [path for path in map(output_path, uris) if path is not None]
    with ExitStack() as unused:
        sinks = [
            unused.enter_context(closing(_open_camera_sink(uri, classes, options, space, outputs, on_failure)))
            for uri in uris
        ]
        unused.pop_all()
    return sinks


def pictures_of(source: str) -> "Path | None":
    """Return the folder of pictures that a source reads, for annotations to refer to; None for other sources."""
    from pathlib import Path

    from edge_seg.images import IMAGE_SUFFIXES

    path = Path(source)
    if path.is_dir():
        return path
    return path.parent if path.suffix.lower() in IMAGE_SUFFIXES else None


def _open_camera_sink(
    uri: str,
    classes: "Sequence[SegmentationClass]",
    options: "SinkOptions",
    space: FreeSpace,
    outputs: "Sequence[Path]",
    on_failure: Callable[[str, str], None],
) -> "Sink":
    from edge_seg.sinks import open_sink, output_path
    from edge_seg.sinks.disk_guard import DiskGuard, GuardedSink
    from edge_seg.sinks.recovering import RecoveringSink

    path = output_path(uri)
    if path is None:
        return open_sink(uri, classes, options)
    guard = DiskGuard(path, space, outputs)

    def reopen() -> "Sink":
        return GuardedSink(open_sink(uri, classes, options), guard)

    return RecoveringSink(uri, reopen, tell, on_failure=on_failure, live=options.live)
