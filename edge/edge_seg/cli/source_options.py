"""Options about the source of frames."""

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from edge_seg.sources import SourceOptions

_PANEL = "Source"


class Size(tuple[int, int]):
    """(width, height), pixels; spelled as it is typed."""

    def __str__(self) -> str:
        return f"{self[0]}x{self[1]}"


def size_of(text: str) -> Size:
    """Read 640x480."""
    match = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", text.strip())
    if not match or 0 in (int(match[1]), int(match[2])):
        raise typer.BadParameter(f"'{text}' is no size; give width and height, such as 640x480")
    return Size((int(match[1]), int(match[2])))


def pixel_format_of(text: str) -> str:
    """Read a FourCC; MJPEG, as cameras' data sheets call it, is MJPG."""
    code = {"MJPEG": "MJPG", "YUY2": "YUYV"}.get(text.strip().upper(), text.strip().upper())
    if not re.fullmatch(r"[A-Z0-9]{3,4}", code):
        raise typer.BadParameter(f"'{text}' is no pixel format; give four letters, such as MJPG or YUYV")
    return code


def retries_of(text: str) -> int:
    """Read a number or `forever`."""
    from edge_seg.sources.options import FOREVER

    if text.strip().lower() == "forever":
        return FOREVER
    if not text.strip().isdecimal():
        raise typer.BadParameter(f"'{text}' is no number of retries; give 0, 1, 2, … or  forever")
    return min(int(text), FOREVER)


SizeOption = Annotated[
    Size | None,
    typer.Option(
        parser=size_of, metavar="WxH", help="Size asked of a camera, such as 640x480.", rich_help_panel=_PANEL
    ),
]
RateOption = Annotated[
    float | None,
    typer.Option(
        min=0.01, max=1000, help="Frames per second asked of a camera; polls of a snapshot URL.", rich_help_panel=_PANEL
    ),
]
PixelFormatOption = Annotated[
    str | None,
    typer.Option(
        parser=pixel_format_of,
        metavar="FOURCC",
        help="Pixel format asked of a USB camera, such as YUYV. Left out: MJPG, which USB has room for.",
        rich_help_panel=_PANEL,
    ),
]
TransportOption = Annotated[
    Literal["tcp", "udp"], typer.Option(help="How RTSP carries its packets.", rich_help_panel=_PANEL)
]
RetriesOption = Annotated[
    int | None,
    typer.Option(
        parser=retries_of,
        metavar="N|forever",
        help="Attempts in a row to open a camera or stream again, at the start too. Left out: none at the start, "
        "without end once it was open. For a device nobody watches: forever.",
        rich_help_panel=_PANEL,
    ),
]
FrozenAfterOption = Annotated[
    float,
    typer.Option(
        min=0.0,
        metavar="SECONDS",
        help="Report, and open again, a camera that gives one and the same picture for so long; 0: never.",
        rich_help_panel=_PANEL,
    ),
]
WatchOption = Annotated[
    bool,
    typer.Option("--watch", help="Wait for new images in a folder after those in it.", rich_help_panel=_PANEL),
]


def source_options(
    *,
    size: Size | None,
    rate: float | None,
    pixel_format: str | None,
    transport: Literal["tcp", "udp"],
    retries: int | None,
    frozen_after: float,
    watch: bool,
) -> "SourceOptions":
    """Put the options together."""
    from edge_seg.sources import SourceOptions

    return SourceOptions(
        size=size,
        rate=rate,
        pixel_format=pixel_format,
        transport=transport,
        retries=retries,
        frozen_after_s=frozen_after,
        watch=watch,
    )
