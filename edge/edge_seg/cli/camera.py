"""`edge-seg camera`: live segmentation on a window, into files, and in numbers on the terminal."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import (
    InputRangeOption,
    LabelsOption,
    ModelOption,
    OpacityOption,
    RuntimeOption,
    ThreadsOption,
    load_segmenter,
)
from edge_seg.cli.pace_options import EveryOption, MaxFpsOption
from edge_seg.errors import SinkError
from edge_seg.runtimes import DEFAULT_RUNTIME

if TYPE_CHECKING:
    from edge_seg.pipeline import OnResult, PipelineSummary
    from edge_seg.result import Result
    from edge_seg.segmenter import Segmenter
    from edge_seg.sinks import Painter, Sink
    from edge_seg.sources import Source

_LINE_EVERY_S = 5.0
_LIVE_LINE_EVERY_S = 0.25
_SHOWN_CLASSES = 4


def camera(
    *,
    source: Annotated[
        str, typer.Option(help="Camera number or /dev/videoN, http:// or rtsp:// stream, or a video file.")
    ] = "0",
    out: Annotated[
        list[str] | None,
        typer.Option("--out", "-o", help="Where results go: events.jsonl  out.mp4  overlays/  masks:DIR"),
    ] = None,
    model: ModelOption = None,
    threads: ThreadsOption = 1,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    opacity: OpacityOption = 0.55,
    max_frames: Annotated[int | None, typer.Option(min=1, help="End after so many frames.")] = None,
    every: EveryOption = 1,
    max_fps: MaxFpsOption = None,
    no_window: Annotated[bool, typer.Option("--no-window", help="Show nothing on the screen.")] = False,
) -> None:
    """Segment a live camera or stream; rate, latency and class shares are on the picture.

    Ends on q (in the window or on the terminal) or SIGTERM with exit code 0, on Ctrl-C with 130;
    files are closed properly every time. Without a screen it runs on, and says so.

    Example:  edge-seg camera --source 0 --out events.jsonl --out recording.mp4
    """
    from edge_seg.hud import hud_painter
    from edge_seg.sources import open_source
    from edge_seg.sources.pace import paced

    stop = threading.Event()
    segmenter = load_segmenter(model, runtime=runtime, threads=threads, labels=labels, input_range=input_range)
    opened = paced(open_source(source), every=every, max_fps=max_fps, stop=stop)
    paint = hud_painter(segmenter.classes, opacity)
    sinks = _open_sinks(out or [], segmenter, opened, paint, stop, window=not no_window)
    summary = _run(opened, segmenter, sinks, stop=stop, max_frames=max_frames)
    typer.echo(
        f"{summary.frames} frames in {summary.seconds:.1f} s ({summary.fps:.1f} per second), "
        f"{summary.dropped} dropped, model {summary.invoke_ms:.1f} ms"
    )


def _open_sinks(
    uris: list[str],
    segmenter: "Segmenter",
    source: "Source",
    paint: "Painter",
    stop: threading.Event,
    *,
    window: bool,
) -> "list[Sink]":
    from edge_seg.sinks import SinkOptions, open_sink

    options = SinkOptions(paint, live=source.live, fps=source.fps, on_quit=stop.set)
    sinks = [open_sink(uri, segmenter.classes, options) for uri in uris]
    if window and "window:" not in uris:
        try:
            sinks.append(open_sink("window:", segmenter.classes, options))
        except SinkError as error:
            typer.echo(f"no {error}", err=True)
    return sinks


def _run(
    source: "Source",
    segmenter: "Segmenter",
    sinks: "list[Sink]",
    *,
    stop: threading.Event,
    max_frames: int | None,
) -> "PipelineSummary":
    from edge_seg.cli.quitting import quit_on_q, quit_on_sigterm
    from edge_seg.pipeline import run_pipeline

    with quit_on_sigterm(stop.set), quit_on_q(stop.set), _status() as show:
        return run_pipeline(source, segmenter, sinks, on_frame=show, stop=stop, max_frames=max_frames)


@contextmanager
def _status() -> "Generator[OnResult]":
    """Give a function that shows how the run stands: a live line on a terminal, else a line now and then."""
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _now_and_then(_LINE_EVERY_S, lambda result: typer.echo(status_line(result), err=True))
        return
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield _now_and_then(
            _LIVE_LINE_EVERY_S, lambda result: live.update(f"{status_line(result)}   [dim]q ends[/dim]")
        )


def _now_and_then(every_s: float, show: "OnResult") -> "OnResult":
    """Show a result at once, and then one every so often: the words take time that the frames want."""
    due = time.monotonic()

    def shown_when_due(result: "Result") -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + every_s
            show(result)

    return shown_when_due


def status_line(result: "Result") -> str:
    """Return rate, latency, drops and the largest class shares in one line."""
    segmentation = result.segmentation
    largest = sorted(segmentation.area_share.items(), key=lambda item: -item[1])[:_SHOWN_CLASSES]
    shares = "  ".join(f"{name} {share:.1%}" for name, share in largest if share > 0)
    return f"{result.fps:5.1f} fps  {segmentation.latency_ms:6.1f} ms  {result.dropped} dropped  |  {shares}"
