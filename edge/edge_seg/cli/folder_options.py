"""Options of a run over a folder of pictures, and the run itself with its progress bar."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import read_label_file
from edge_seg.errors import SinkError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from edge_seg.folder_run import FolderRun, FolderSummary, Output, Work
    from edge_seg.segmenter import Segmenter
    from edge_seg.sinks import Sink

_PANEL = "Folders of pictures"

JobsOption = Annotated[
    int, typer.Option("--jobs", "-j", min=0, max=256, rich_help_panel=_PANEL, help="Processes; 0: one for each core.")
]
FreshOption = Annotated[
    bool,
    typer.Option(
        "--fresh", rich_help_panel=_PANEL, help="Start over in place of going on where a run was interrupted."
    ),
]


def read_work(
    folder: Path,
    model: Path | None,
    runtime: str,
    threads: int,
    labels: Path | None,
    input_range: str | None,
    opacity: float,
) -> "Work":
    """Gather what a command line says of a run over a folder.

    Raises:
        ModelError: no such model, or the file of labels cannot be read.
    """
    from edge_seg.folder_run import Work
    from edge_seg.shipped import find_model

    names = read_label_file(labels) if labels else None
    return Work(folder, find_model(model), runtime, threads, names, input_range, opacity)


def run_folder_and_report(work: "Work", uris: list[str], *, jobs: int, fresh: bool, as_json: bool) -> bool:
    """Run over a folder with a progress bar and print what it came to; tell whether an image was left out.

    Raises:
        EdgeSegError: an output cannot be written, or belongs to another run.
    """
    summary = _run(work, uris, jobs=jobs, fresh=fresh)
    _report(summary, uris, as_json=as_json)
    return bool(summary.left_out)


def _run(work: "Work", uris: list[str], *, jobs: int, fresh: bool) -> "FolderSummary":
    from edge_seg.cli.quitting import interrupt, quit_on_sigterm
    from edge_seg.folder_run import FolderRun, outputs_of, run_folder
    from edge_seg.folder_run.work import open_segmenter
    from edge_seg.sources.images import image_names

    run = FolderRun(work, outputs_of(uris), image_names(work.folder), jobs, fresh)
    sinks = _open_ordered_sinks(run, open_segmenter(work))
    with quit_on_sigterm(interrupt), progress_bar() as bar:
        shown = ShownProgress(bar)
        try:
            return run_folder(run, sinks, lambda done: shown(done, len(run.names)))
        except KeyboardInterrupt:
            if run.resumable:
                typer.echo("what is done is kept; the same command goes on", err=True)
            raise


class ShownProgress:
    """Shows how far a run is: what was done before as a line, the rest as a bar."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._task: TaskID | None = None
        self._before, self._started_at = 0, 0.0

    def __call__(self, done: int, total: int) -> None:
        """Take the number of pictures that are done, those of earlier runs included, and of all."""
        if self._task is None:
            self._task = self._begin(done, total)
        seconds = time.monotonic() - self._started_at
        rate = (done - self._before) / seconds if seconds else 0
        self._bar.update(self._task, completed=done, rate=f"{rate:.1f}/s")

    def _begin(self, done: int, total: int) -> "TaskID":
        if done:
            typer.echo(f"{done:,} of {total:,} were done already", err=True)
        self._before, self._started_at = done, time.monotonic()
        self._bar.start()
        return self._bar.add_task("", total=total, completed=done, rate="")


def _open_ordered_sinks(run: "FolderRun", segmenter: "Segmenter") -> "list[Sink]":
    """Open every output, so that one that cannot be written is told before any work; return those with an order."""
    from edge_seg.sinks import SinkOptions, open_sink, overlay_painter

    options = SinkOptions(overlay_painter(segmenter.classes, run.work.opacity), pictures=run.work.folder)
    opened = [(output, open_sink(output.uri, segmenter.classes, options)) for output in run.outputs]
    for output in run.outputs:
        _refuse_own_folder(output, run.work.folder)
    return [sink for output, sink in opened if not output.in_pieces]


def _refuse_own_folder(output: "Output", folder: Path) -> None:
    if output.in_pieces and output.path.resolve() == folder.resolve():
        raise SinkError(f"{output.uri}: is the folder of the pictures themselves; name another one for what is written")


@contextmanager
def progress_bar() -> "Generator[Progress]":
    """Yield the bar of a run over a folder: on a terminal only, there once `ShownProgress` begins, gone at the end."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    try:
        yield bar
    finally:
        bar.stop()


def _report(summary: "FolderSummary", out: list[str], *, as_json: bool) -> None:
    """Print what a run over a folder came to."""
    for refusal in summary.left_out:
        typer.secho(f"left out: {refusal}", fg=typer.colors.YELLOW, err=True)
    if as_json:
        typer.echo(_as_json(summary, out))
        return
    before = f"; {summary.done_before:,} were done already" if summary.done_before else ""
    if not summary.frames:
        typer.echo(f"nothing left to do{before}; --fresh starts over → {', '.join(out)}")
        return
    typer.echo(
        f"{summary.frames:,} frames in {summary.seconds:.1f} s "
        f"({summary.fps:.1f} per second, {_processes(summary.jobs)}; "
        f"model {summary.invoke_ms:.1f} ms{before}) → {', '.join(out)}"
    )


def _processes(jobs: int) -> str:
    return "1 process" if jobs == 1 else f"{jobs} processes"


def _as_json(summary: "FolderSummary", out: list[str]) -> str:
    import json
    from dataclasses import asdict

    values = {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(summary).items()}
    return json.dumps({**values, "fps": round(summary.fps, 2), "out": out})
