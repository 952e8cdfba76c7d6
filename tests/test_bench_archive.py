"""What the benchmark of archives makes of the times that it measured."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge_seg.errors import BenchmarkError
from edge_seg_bench.archive.costs import hours_per_million, most_useful_cores, parts_of, steady_ratio, total_ratio
from edge_seg_bench.archive.measuring import cpu_ms, mask_times, window_ms
from edge_seg_bench.archive.result import ArchiveReport, Run, Serial, Way
from edge_seg_bench.archive.serial import measure_serial
from edge_seg_bench.archive.table import markdown, missed
from edge_seg_bench.machine import describe_machine


def run(way: Way, workers: int, picture_ms: float) -> Run:
    start_s = 10.0 if way == "ray" else 1.0
    total_s = start_s + picture_ms + 2.0  # of a thousand pictures
    return Run(
        way=way, workers=workers, total_s=total_s, first_s=start_s, last_s=2.0,
        window_ms=(picture_ms,) * 8, starter_ms=0.1,
    )  # fmt: skip


def report(ray_ms: float) -> ArchiveReport:
    runs = (run("local", 1, 4.0), run("ray", 1, 4.0), run("local", 2, 2.0), run("ray", 2, ray_ms))
    return ArchiveReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version="0",
        machine=describe_machine(),
        model="pets",
        pictures=1000,
        price_per_core_hour=0.04,
        currency="USD",
        rounds=(runs, runs),
        serial=Serial(pictures=500_000, plan_s=1.0, merge_s=2.0),
    )


def test_the_start_and_the_end_are_left_out() -> None:
    written = np.concatenate([[0.0], 5 + 0.01 * np.arange(998), [60.0]])
    assert window_ms(written) == pytest.approx((10.0,) * 8)
    samples = [(0.0, 0.0), (5.0, 3.0), (15.0, 4.0), (60.0, 9.0)]
    assert cpu_ms(samples, written) == pytest.approx(1.0)


def test_too_few_masks_measure_nothing(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="holds 0 masks"):
        mask_times(tmp_path)


def test_ratios_are_of_throughput() -> None:
    measured = report(2.5)
    assert steady_ratio(measured, 2).ratio == pytest.approx(0.8)
    assert total_ratio(measured, 1) == pytest.approx(7 / 16)
    assert missed(measured) == ["0.80 × the local throughput with 2 workers, 0.9 is the target"]
    assert missed(report(2.2)) == []


def test_what_a_million_cost_on_paper() -> None:
    """start 10 s + 1,000 s × max(5 / cores, 0.1) + end 2 s and 6 s for names and table."""
    parts = parts_of(report(2.5))
    assert hours_per_million(parts, 1) * 3600 == pytest.approx(10 + 5000 + 8)
    assert hours_per_million(parts, 10) * 3600 == pytest.approx(10 + 500 + 8)
    assert hours_per_million(parts, 100) * 3600 == pytest.approx(10 + 100 + 8)
    assert most_useful_cores(parts) == 50


def test_the_page_tells_both() -> None:
    page = markdown(report(2.2))
    assert "| 2 | 500 | 455 | 0.91 |" in page
    assert "more than 44 cores would wait" in page
    assert "| 1 | 1.23 | USD 0.05 | 100% |" in page


def test_the_serial_part_is_timed() -> None:
    measured = measure_serial(3000)
    assert measured.plan_s > 0
    assert measured.merge_s > 0
