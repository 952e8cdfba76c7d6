"""The result as Markdown: throughput of both ways, and the cost of a million pictures on paper."""

from edge_seg_bench.archive.costs import (
    Parts,
    hours_per_million,
    most_useful_cores,
    parts_of,
    steady_ms,
    steady_ratio,
    total_ratio,
    worker_counts,
)
from edge_seg_bench.archive.result import ArchiveReport
from edge_seg_bench.machine import busy_note
from edge_seg_bench.rendering import machine_sentence, markdown_table

TARGET = 0.9
_CORES = (1, 2, 4, 8, 16, 32, 64, 128)


def missed(report: ArchiveReport) -> list[str]:
    """Return a sentence for each number of workers at which Ray is slower than the target."""
    ratios = {workers: steady_ratio(report, workers).ratio for workers in worker_counts(report)}
    return [
        f"{ratio:.2f} × the local throughput with {_workers(workers)}, {TARGET} is the target"
        for workers, ratio in ratios.items()
        if ratio < TARGET
    ]


def markdown(report: ArchiveReport) -> str:
    """Return archive.md."""
    note = busy_note(report.machine)
    lines = [
        "# Archives: `edge-seg run --ray` against `edge-seg run`",
        "",
        f"{report.pictures:,} pictures of 640×480 through {report.model}, {len(report.rounds)} rounds that take turns. "
        "Each run is held to as many cores as it has workers, with all processes of Ray. The local run writes masks "
        "and `shares.csv`, the run on Ray masks and `table.parquet`. *Steady* is between the first tenth of the masks "
        "and the last, with the 95 % bootstrap interval; *whole* is the program from start to end.",
        "",
        *_throughput(report),
        "",
        "## A million pictures on paper",
        "",
        *_paper(report, parts_of(report)),
        "",
        f"{machine_sentence(report.machine)}  ",
        *([f"Note: {note}"] if note else []),
    ]
    return "\n".join(lines) + "\n"


def _throughput(report: ArchiveReport) -> list[str]:
    titles = ["workers", "local, pictures/s", "Ray, pictures/s", "steady: Ray / local", "interval", "whole"]
    rows: list[list[str]] = []
    for workers in worker_counts(report):
        ratio = steady_ratio(report, workers)
        interval = "–" if ratio.low is None or ratio.high is None else f"{ratio.low:.2f} to {ratio.high:.2f}"
        rates = [f"{1000 / steady_ms(report, way, workers):.0f}" for way in ("local", "ray")]
        rows.append([str(workers), *rates, f"{ratio.ratio:.2f}", interval, f"{total_ratio(report, workers):.2f}"])
    return markdown_table(titles, rows, left=0)


def _paper(report: ArchiveReport, parts: Parts) -> list[str]:
    price, currency = report.price_per_core_hour, report.currency
    cheapest = hours_per_million(parts, 1) * price
    rows = [
        [
            str(cores),
            _hours(hours_per_million(parts, cores)),
            f"{currency} {hours_per_million(parts, cores) * cores * price:.2f}",
            f"{cheapest / (hours_per_million(parts, cores) * cores * price):.0%}",
        ]
        for cores in _CORES
    ]
    return [
        f"hours = start + 1,000,000 × max(core / cores, starter) + end; cost = hours × cores × {currency} {price:g} a "
        "core and hour, paid for all cores from start to end.",
        "",
        f"Measured above: start {parts.start_s:.1f} s until the first mask; {parts.core_ms:.2f} ms of a core a "
        f"picture; {parts.starter_ms:.3f} ms a picture in the one process that started the others, so that more than "
        f"{most_useful_cores(parts):,} cores would wait for it; end {parts.end_s:.1f} s, of that "
        f"{report.serial.plan_s:.1f} s for finding out what to do and {report.serial.merge_s:.1f} s for the table, "
        f"timed with {report.serial.pictures:,} names and rows. Not in it: a network, a bucket, and machines that are "
        "slower when all their cores work.",
        "",
        *markdown_table(["cores", "hours", "cost", "of the cores' time used"], rows, left=0),
    ]


def _hours(hours: float) -> str:
    return f"{hours:.2f}" if hours < 10 else f"{hours:.1f}"


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
