"""Whether a fleet of cameras loses an alert: `python -m edge_seg_bench.fleet`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from edge_seg.cli.reporting import reporting
from edge_seg_bench.fleet.observed import FleetSettings, Restart


def fleet(
    *,
    cameras: Annotated[int, typer.Option(min=2, help="How many are simulated.")] = 200,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long incidents happen.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Decides what happens in front of each camera, and when.")] = 1,
    restart: Annotated[
        list[Restart] | None,
        typer.Option(
            help="How the broker is ended before it is started again: term (SIGTERM) or kill (SIGKILL). Given several "
            "times, it is restarted as often, evenly spread; once with term when left out.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path, typer.Option(help="Folder with prometheus.yml, rules.yml, mosquitto.conf and mosquitto.acl.")
    ] = Path("edge/fleet"),
    out: Annotated[
        Path | None, typer.Option(help="JSON file; Markdown and a plot go beside it.", show_default=False)
    ] = None,
) -> None:
    """Run many cameras against one broker, restart it, kill some cameras, and look for every alert.

    The cameras are those of `edge-seg camera` but for the pictures: a plan decides what is in them, so that each event
    that must arrive is known beforehand. Needs mosquitto and prometheus.
    Exit code 1 when an event is lost, comes out of order or is not planned, when a camera does not come back after the
    restart, or when the broker's retained messages or Prometheus tell what is not so.

    Example:  python -m edge_seg_bench.fleet --cameras 20 --minutes 0.5 --out fleet.json
    """
    from edge_seg.extras import require_extra
    from edge_seg.files import check_can_write
    from edge_seg_bench.fleet.plot import plot
    from edge_seg_bench.fleet.report import make_report
    from edge_seg_bench.fleet.run import run_fleet
    from edge_seg_bench.fleet.table import markdown
    from edge_seg_bench.judging import record

    for extra, purpose in (("web", "the live pages"), ("mqtt", "the broker"), ("report", "the plot")):
        require_extra(extra, purpose=purpose)
    if out is not None:
        check_can_write(out.parent)
    settings = FleetSettings(cameras, minutes * 60, seed, config, tuple(restart or (Restart.TERM,)))
    with tempfile.TemporaryDirectory(prefix="edge-seg-fleet-", ignore_cleanup_errors=True) as folder:
        report = make_report(run_fleet(Path(folder), settings, lambda what: typer.echo(what, err=True)))
    if out is not None:
        plot(out.with_suffix(".png"), report)
    record(report, markdown(report), out)


if __name__ == "__main__":
    typer.run(reporting(fleet))
