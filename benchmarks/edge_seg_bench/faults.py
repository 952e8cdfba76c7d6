"""Whether the camera survives all that can break around it: `python -m edge_seg_bench.faults`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting


def faults(
    *,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long faults are made.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Decides which faults come, in what order and for how long.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="JSON file; Markdown and the camera's log go beside it.", show_default=False)
    ] = None,
) -> None:
    """Run `edge-seg camera` and break what it depends on, in random order: stream, disk, broker, webhook, viewer.

    The stream is unplugged, stalled, corrupted, frozen and cut off; it shows an object that comes and goes, so that
    the number of alerts is known. Needs mosquitto, and root for the disk that is filled up (else that is left out).
    Exit code 1 when an alert is lost, something does not go on after a fault, the camera crashes, takes 2 s or more
    to end, or leaves a broken file.

    Example:  python -m edge_seg_bench.faults --minutes 1 --seed 7
    """
    from edge_seg.extras import require_extra
    from edge_seg.files import write_bytes
    from edge_seg_bench.endurance.fault_report import report_markdown
    from edge_seg_bench.endurance.fault_run import run_faults
    from edge_seg_bench.judging import record

    require_extra("web", purpose="the live page")
    require_extra("mqtt", purpose="the broker's witness")
    with tempfile.TemporaryDirectory(prefix="edge-seg-faults-", ignore_cleanup_errors=True) as folder:
        report = run_faults(Path(folder), minutes, seed, lambda what: typer.echo(what, err=True))
        log = (Path(folder) / "log.txt").read_bytes()
    if out is not None:
        write_bytes(out.with_suffix(".log"), log)
    record(report, report_markdown(report), out)


if __name__ == "__main__":
    typer.run(reporting(faults))
