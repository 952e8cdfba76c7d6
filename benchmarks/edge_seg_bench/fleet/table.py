"""fleet.md: a run of a fleet as Markdown."""

from edge_seg_bench.fleet.observed import Restart
from edge_seg_bench.fleet.report import FleetReport, OutageRow
from edge_seg_bench.fleet.verdict import Delays
from edge_seg_bench.rendering import machine_sentence, markdown_table
from edge_seg_bench.wording import NONE

_ENDINGS = {Restart.TERM: "asked to end (SIGTERM)", Restart.KILL: "killed (SIGKILL)"}


def markdown(report: FleetReport) -> str:
    """Return the report as Markdown."""
    verdict = [f"- **missed**: {sentence}" for sentence in report.missed] or ["Every target was met."]
    lines = [
        "# A fleet of simulated cameras",
        "",
        f"{machine_sentence(report.machine)}.  ",
        f"edge-seg {report.edge_seg_version}, {report.created}, {report.minutes:g} minutes, seed {report.seed}: "
        f"{report.cameras} cameras in {report.processes} processes, {report.results_per_second} results a second each, "
        f"with the rules {' and '.join(f'`{rule}`' for rule in report.rules)}.",
        "",
        *markdown_table(("", "seen", "target"), _summary(report), left=3),
        "",
        *verdict,
        "",
        "Seconds from the picture that raised an event to its arrival at a subscriber:",
        "",
        *markdown_table(("", "events", "median", "p99", "longest"), _delays(report), left=1),
        "",
        "What it took; 100 % is one core:",
        "",
        *markdown_table(
            ("", "CPU, mean", "memory, peak"),
            [(name, f"{row.cpu_percent:.1f} %", f"{row.peak_rss_mb:.0f} MB") for name, row in report.usage.items()],
            left=1,
        ),
    ]
    return "\n".join(lines) + "\n"


def _summary(report: FleetReport) -> list[tuple[str, str, str]]:
    cameras = str(report.cameras)
    return [
        ("events planned", f"{report.planned:,}", NONE),
        ("events lost", str(report.lost), "0"),
        ("events that nobody planned", str(report.unplanned), "0"),
        ("events after a later one of the same camera", str(report.out_of_order), "0"),
        ("second copies, told by their id", str(report.duplicates), NONE),
        ("events still in a camera's outbox", str(report.still_waiting), "0"),
        *(_outage(outage) for outage in report.outages),
        ("times the broker had forgotten the subscriber's session", str(report.sessions_lost), NONE),
        ("cameras killed", str(report.killed), NONE),
        ("wrong retained messages (status, alerts, telemetry)", str(len(report.wrong_retained)), "0"),
        ("cameras Prometheus saw up", str(report.seen_up), cameras),
        ("failed scrapes of cameras not killed", str(report.failed_scrapes), NONE),
        ("cameras for which CameraDown fires", str(report.reported_down), str(report.killed)),
        ("cameras with another count of alerts in Prometheus", str(report.miscounted), "0"),
        ("latest picture", f"{report.latest_picture_s:.2f} s too late", NONE),
    ]


def _outage(outage: OutageRow) -> tuple[str, str, str]:
    what = f"broker {_ENDINGS[outage.by]} after {outage.at_s:.0f} s, gone for {outage.gone_s:.1f} s"
    if outage.back_after_s is None:
        return what, "not every camera came back", "all back"
    return what, f"all cameras back {outage.back_after_s:.1f} s after its start", "all back"


def _delays(report: FleetReport) -> list[tuple[str, ...]]:
    rows = [("while the broker ran", report.quiet)]
    rows += [(f"around the restart after {outage.at_s:.0f} s", outage.delays) for outage in report.outages]
    return [(name, *_cells(row)) for name, row in rows]


def _cells(row: Delays | None) -> tuple[str, ...]:
    if row is None:
        return ("0", NONE, NONE, NONE)
    return (f"{row.events:,}", *(f"{seconds:.3f}" for seconds in (row.median_s, row.p99_s, row.longest_s)))
