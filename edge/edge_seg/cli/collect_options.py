"""Options of `edge-seg camera` for learning from the field, and what is made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.live_status import tell
from edge_seg.cli.times import seconds_of

if TYPE_CHECKING:
    from edge_seg.model_slot import ModelSlot
    from edge_seg.pipeline import Smooth
    from edge_seg.segmenter import Segmenter
    from edge_seg.sinks import Sink
    from edge_seg.sources import Source

_PANEL = "Learning from the field"


CollectOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Keep frames the model is unsure of there, with its answers as a VIA project to correct.",
        rich_help_panel=_PANEL,
    ),
]
CollectEveryOption = Annotated[
    float,
    typer.Option(
        parser=seconds_of,
        metavar="TIME",
        help="Keep one at most every 60s, 10m, 1h.",
        show_default="60s",
        rich_help_panel=_PANEL,
    ),
]
CollectMostOption = Annotated[
    int, typer.Option(min=1, max=5000, help="Most frames that the folder may hold.", rich_help_panel=_PANEL)
]
CollectMegabytesOption = Annotated[
    int, typer.Option(min=1, help="Most megabytes that its pictures may take.", rich_help_panel=_PANEL)
]
SmoothOption = Annotated[
    float | None,
    typer.Option(
        parser=seconds_of,
        metavar="TIME",
        help="Average the scores over about that time, such as 0.5s, against flicker.",
        show_default="no smoothing",
        rich_help_panel=_PANEL,
    ),
]


def collecting_sinks(
    folder: Path | None,
    slot: "ModelSlot",
    source: "Source",
    *,
    every_s: float,
    most_frames: int,
    most_megabytes: int,
) -> "list[Sink]":
    """Return the sink that collects, where a folder is given; when it fails the camera goes on."""
    if folder is None:
        return []
    from edge_seg.collecting import CollectLimits, CollectSink
    from edge_seg.sinks.recovering import RecoveringSink
    from edge_seg.sources.media_time import frame_clock

    limits = CollectLimits(every_s, most_frames, most_megabytes * 1_000_000)

    def reopen() -> "Sink":
        return CollectSink(folder, slot.current, frame_clock(source), limits, on_full=tell)

    return [RecoveringSink(f"collect:{folder}", reopen, tell, live=source.live)]


def smoothing(time_constant_s: float | None, segmenter: "Segmenter", source: "Source") -> "Smooth | None":
    """Return what calms the answers, where a time is given."""
    if time_constant_s is None:
        return None
    from edge_seg.smoothing import open_smoother
    from edge_seg.sources.media_time import frame_clock

    return open_smoother(segmenter, time_constant_s, frame_clock(source)).smooth
