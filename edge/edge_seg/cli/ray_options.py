"""Options of a run on Ray, and the run itself with its progress bar."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_seg.cli.options import read_label_file
from edge_seg.errors import SinkError, SourceError

if TYPE_CHECKING:
    from edge_seg.archive.running import ArchiveRun, ArchiveSummary
    from edge_seg.archive.worker import Job

RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="auto|ADDRESS",
        rich_help_panel="Archives",
        help="Run on a Ray cluster: the one that runs here or, if none does, one that is started; or HOST:PORT. "
        "INPUT and the one --out are folders, here or in a bucket (s3://, gs://).",
    ),
]
_BUCKETS = ("s3://", "gs://")
_OTHER_OUTPUTS = ("masks:", "overlays:", "coco:", "via:", "window:", "http://", "https://", "/dev/")
_FILES = (".jsonl", ".json", ".csv", ".mp4", ".mkv")


def check_places(source: str, out: list[str], *, ray: str | None, watch: bool) -> None:
    """Raise an error for a bucket without --ray, and for what --ray does not do.

    Raises:
        SourceError: of the source.
        SinkError: of an output.
    """
    if ray is not None:
        _check_archive(out, watch=watch)
        return
    if source.startswith(_BUCKETS):
        raise SourceError(f"{source}: pictures in a bucket are segmented on Ray; add  --ray auto")
    for uri in out:
        if uri.startswith(_BUCKETS):
            raise SinkError(f"{uri}: masks are written into a bucket by Ray; add  --ray auto")


def _check_archive(out: list[str], *, watch: bool) -> None:
    if watch:
        raise SourceError("--watch: with --ray a folder is read once; run the command again for what came meanwhile")
    if len(out) != 1 or not _is_archive(out[0]):
        raise SinkError(
            f"--out {' --out '.join(out)}: with --ray there is one --out, a folder for the masks and their table; "
            "overlays and other files are written without --ray"
        )


def _is_archive(uri: str) -> bool:
    """Return whether a URI is no other output's: folders and buckets may have a dot in their names."""
    return uri.startswith(_BUCKETS) or not (uri.startswith(_OTHER_OUTPUTS) or uri.lower().endswith(_FILES))


def read_job(
    source: str,
    out: str,
    model: Path | None,
    runtime: str,
    threads: int,
    labels: Path | None,
    input_range: str | None,
) -> "Job":
    """Gather what a command line says of a run over an archive.

    Raises:
        EdgeSegError: an extra is not installed, or a place, the model or the file of labels cannot be read.
    """
    from edge_seg.extras import require_extra

    require_extra("cluster", purpose="--ray")
    from importlib.metadata import version

    from edge_seg.archive.storage import open_output, open_source
    from edge_seg.archive.worker import Job
    from edge_seg.model_identity import identify
    from edge_seg.runtimes import check_is_tflite
    from edge_seg.shipped import find_model

    file = find_model(model)
    check_is_tflite(file)
    return Job(
        source=open_source(source),
        output=open_output(out),
        model_name=file.stem,
        model=file.read_bytes(),
        model_sha256=identify(file).sha256,
        runtime=runtime,
        threads=threads,
        labels=read_label_file(labels) if labels else None,
        input_range=input_range,
        version=version("edge-seg"),
    )


def run_archive_and_report(job: "Job", out: str, *, address: str, jobs: int, fresh: bool, as_json: bool) -> bool:
    """Run over an archive with a progress bar and print what it came to; tell whether a picture failed.

    Raises:
        EdgeSegError: as `edge_seg.archive.running.run_archive`.
    """
    from edge_seg.archive.running import ArchiveRun

    summary = _run(ArchiveRun(job, address, jobs, fresh))
    _report(summary, out, as_json=as_json)
    return bool(summary.failed)


def _run(run: "ArchiveRun") -> "ArchiveSummary":
    from edge_seg.archive.running import run_archive
    from edge_seg.cli.folder_options import ShownProgress, progress_bar
    from edge_seg.cli.quitting import interrupt, quit_on_sigterm

    with quit_on_sigterm(interrupt), progress_bar() as bar:
        try:
            return run_archive(run, ShownProgress(bar))
        except KeyboardInterrupt:
            typer.echo("what is done is kept; the same command goes on", err=True)
            raise


def _report(summary: "ArchiveSummary", out: str, *, as_json: bool) -> None:
    for sentence in summary.left_out:
        typer.secho(f"left out: {sentence}", fg=typer.colors.YELLOW, err=True)
    more = summary.failed - len(summary.left_out)
    if more:
        typer.secho(f"left out: {more:,} more; see `error` in {out}/table.parquet", fg=typer.colors.YELLOW, err=True)
    if as_json:
        typer.echo(_as_json(summary, out))
        return
    before = f"; {summary.done_before:,} were done already" if summary.done_before else ""
    if not summary.frames and not summary.failed:
        typer.echo(f"nothing left to do{before}; --fresh starts over → {out}")
        return
    workers = "1 worker" if summary.workers == 1 else f"{summary.workers} workers"
    typer.echo(
        f"{summary.frames:,} frames in {summary.seconds:.1f} s ({summary.fps:.1f} per second, {workers}{before}) "
        f"→ {out}"
    )


def _as_json(summary: "ArchiveSummary", out: str) -> str:
    import json
    from dataclasses import asdict

    return json.dumps(
        {**asdict(summary), "seconds": round(summary.seconds, 3), "fps": round(summary.fps, 2), "out": [out]}
    )
