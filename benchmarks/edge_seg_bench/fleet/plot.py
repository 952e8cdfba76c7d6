"""fleet.png: events as they were planned and as they arrived, and how late they were."""

from pathlib import Path
from typing import Any

from edge_seg.files import atomic_path
from edge_seg_bench.fleet.report import FleetReport

_PLANNED, _ARRIVED, _GONE = "#999999", "#0072B2", "#D55E00"  # Okabe & Ito (2008)


def plot(path: Path, report: FleetReport) -> None:
    """Draw events a second above, and the longest delay below, over the minutes of the run."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(9, 5), layout="constrained")
    FigureCanvasAgg(figure)
    events, delay = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    _draw_events(events, report)
    _draw_delays(delay, report)
    for axes in (events, delay):
        for outage in report.outages:
            span = (outage.at_s / 60, (outage.at_s + outage.gone_s) / 60)
            axes.axvspan(*span, color=_GONE, alpha=0.25, linewidth=0, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=130)


def _draw_events(axes: Any, report: FleetReport) -> None:
    minutes = [item.at_s / 60 for item in report.bins]
    width_s = report.bins[0].at_s
    for label, colour, counts in (
        ("planned", _PLANNED, [item.planned for item in report.bins]),
        ("arrived", _ARRIVED, [item.arrived for item in report.bins]),
    ):
        rates = [count / width_s for count in counts]
        axes.step(minutes, rates, where="pre", color=colour, linewidth=2.2 if label == "planned" else 1.0, label=label)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("events a second")
    axes.legend(frameon=False, ncols=2, loc="upper left")
    axes.set_title(
        f"{report.cameras} cameras, {report.planned:,} events planned, {report.lost} lost, "
        f"{report.duplicates} came twice; the broker was gone where it is orange",
        loc="left",
        fontsize=10,
    )


def _draw_delays(axes: Any, report: FleetReport) -> None:
    known = [(item.at_s / 60, item.longest_delay_s) for item in report.bins if item.longest_delay_s is not None]
    axes.plot([at for at, _ in known], [seconds for _, seconds in known], ".", color=_ARRIVED, markersize=4)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("longest delay, s")
    axes.set_xlabel("minutes")
