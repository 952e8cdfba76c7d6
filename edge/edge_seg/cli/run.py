"""`edge-seg run`: images, folders and videos through a model into files."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.folder_options import FreshOption, JobsOption, read_work, run_folder_and_report
from edge_seg.cli.live_status import tell
from edge_seg.cli.options import (
    InputRangeOption,
    JsonOption,
    LabelsOption,
    ModelOption,
    OpacityOption,
    RuntimeOption,
    ThreadsOption,
    load_segmenter,
)
from edge_seg.cli.ray_options import RayOption, check_places, read_job, run_archive_and_report
from edge_seg.cli.reporting import EXIT_FAILED
from edge_seg.cli.sink_options import pictures_of
from edge_seg.cli.source_options import WatchOption
from edge_seg.errors import SourceError
from edge_seg.runtimes import DEFAULT_RUNTIME

if TYPE_CHECKING:
    from edge_seg.pipeline import PipelineSummary
    from edge_seg.segmenter import Segmenter
    from edge_seg.sinks import Sink
    from edge_seg.sources import Source


def run(
    source: Annotated[str, typer.Argument(metavar="INPUT", help="Image, folder, video, camera number or URL.")],
    out: Annotated[
        list[str],
        typer.Option(
            "--out",
            "-o",
            help="Where results go, as often as wanted: overlays/  masks:DIR  out.mp4  events.jsonl  shares.csv  "
            "coco.json  via.json",
        ),
    ],
    *,
    model: ModelOption = None,
    threads: ThreadsOption = 1,
    runtime: RuntimeOption = DEFAULT_RUNTIME,
    labels: LabelsOption = None,
    input_range: InputRangeOption = None,
    opacity: OpacityOption = 0.55,
    watch: WatchOption = False,
    jobs: JobsOption = 0,
    fresh: FreshOption = False,
    ray: RayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Segment images, folders and videos.

    A folder is worked off on all cores. The same command after an interruption goes on where it stopped, if the
    outputs are folders, JSON lines or CSV. An image that cannot be decoded is left out, listed at the end, and makes
    the exit code 1. With --ray a folder or a bucket of millions of images goes through a cluster.

    Example:  edge-seg run photos/ --out overlays/ --out masks:labels --out events.jsonl
    """
    check_places(source, out, ray=ray, watch=watch)
    if ray is not None:
        job = read_job(source, out[0], model, runtime, threads, labels, input_range)
        any_left_out = run_archive_and_report(job, out[0], address=ray, jobs=jobs, fresh=fresh, as_json=as_json)
    elif Path(source).is_dir() and not watch:
        work = read_work(Path(source), model, runtime, threads, labels, input_range, opacity)
        any_left_out = run_folder_and_report(work, out, jobs=jobs, fresh=fresh, as_json=as_json)
    else:
        segmenter = load_segmenter(model, runtime=runtime, threads=threads, labels=labels, input_range=input_range)
        any_left_out = _run_frames(source, out, segmenter, opacity, watch=watch, as_json=as_json)
    if any_left_out:
        raise typer.Exit(EXIT_FAILED)


def _run_frames(
    source: str, out: list[str], segmenter: "Segmenter", opacity: float, *, watch: bool, as_json: bool
) -> bool:
    """Run over anything but the images that are in a folder now; tell whether an image was left out."""
    from edge_seg.sources import SourceOptions, open_source

    bad: list[SourceError] = []
    opened = open_source(source, SourceOptions(watch=watch), on_bad_image=bad.append, report=tell)
    sinks = _open_sinks(out, segmenter, opened, source, opacity)
    summary = _run_with_progress(opened, segmenter, sinks)
    _report(summary, out, bad, as_json=as_json)
    return bool(bad)


def _open_sinks(uris: list[str], segmenter: "Segmenter", source: "Source", uri: str, opacity: float) -> "list[Sink]":
    from edge_seg.sinks import PaintOnce, SinkOptions, open_sink, overlay_painter

    paint = PaintOnce(overlay_painter(segmenter.classes, opacity))
    options = SinkOptions(paint, live=source.live, fps=source.fps, pictures=pictures_of(uri))
    return [open_sink(uri, segmenter.classes, options) for uri in uris]


def _run_with_progress(source: "Source", segmenter: "Segmenter", sinks: "list[Sink]") -> "PipelineSummary":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from edge_seg.pipeline import run_pipeline

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(source.name, total=source.frame_count)
        return run_pipeline(source, segmenter, sinks, on_frame=lambda _: progress.advance(task))


def _report(summary: "PipelineSummary", out: list[str], bad: list[SourceError], *, as_json: bool) -> None:
    for error in bad:
        typer.secho(f"left out: {error}", fg=typer.colors.YELLOW, err=True)
    if as_json:
        import json

        rounded = {key: round(value, 3) for key, value in asdict(summary).items()}
        typer.echo(json.dumps({**rounded, "fps": round(summary.fps, 2), "out": out, "left_out": [str(e) for e in bad]}))
        return
    dropped = f", {summary.dropped} dropped" if summary.dropped else ""
    typer.echo(
        f"{summary.frames} frames in {summary.seconds:.1f} s ({summary.fps:.1f} per second{dropped}; "
        f"model {summary.invoke_ms:.1f} ms) → {', '.join(out)}"
    )
