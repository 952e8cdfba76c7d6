"""Figures that follow from what was measured: ratios, and on paper the cost of a million pictures."""

from dataclasses import dataclass

import numpy as np

from edge_seg_bench.archive.result import ArchiveReport, Run, Way
from edge_seg_bench.statistics import RatioInterval, ratio_of_medians

MILLION = 1_000_000


@dataclass(frozen=True)
class Parts:
    """What a run on Ray is made of, from the runs with the most workers."""

    start_s: float
    """Until the first mask."""
    core_ms: float
    """Of a core, for a picture."""
    starter_ms: float
    """Of the one process that started the others, for a picture."""
    end_s: float
    """For a million pictures: what the one process does before and after, and the end of Ray."""


def runs_of(report: ArchiveReport, way: Way, workers: int) -> list[Run]:
    """Return the runs of one way and number of workers, a run a round."""
    return [run for runs in report.rounds for run in runs if (run.way, run.workers) == (way, workers)]


def worker_counts(report: ArchiveReport) -> list[int]:
    """Return the numbers of workers that were measured."""
    return sorted({run.workers for runs in report.rounds for run in runs})


def steady_ratio(report: ArchiveReport, workers: int) -> RatioInterval:
    """Return pictures a second of Ray over those of the local run, once both run: above 1, Ray is faster."""
    local, ray = ([np.array(run.window_ms) for run in runs_of(report, way, workers)] for way in ("local", "ray"))
    return ratio_of_medians(local, ray)


def total_ratio(report: ArchiveReport, workers: int) -> float:
    """Return the same of whole runs, start and end included."""
    local, ray = (median([run.total_s for run in runs_of(report, way, workers)]) for way in ("local", "ray"))
    return local / ray


def steady_ms(report: ArchiveReport, way: Way, workers: int) -> float:
    """Return the median milliseconds a picture, once the run runs."""
    return median([ms for run in runs_of(report, way, workers) for ms in run.window_ms])


def parts_of(report: ArchiveReport) -> Parts:
    """Return what the runs on Ray with the most workers took."""
    workers = worker_counts(report)[-1]
    runs = runs_of(report, "ray", workers)
    serial = report.serial
    return Parts(
        start_s=median([run.first_s for run in runs]),
        core_ms=workers * steady_ms(report, "ray", workers),
        starter_ms=median([run.starter_ms for run in runs]),
        end_s=median([run.last_s for run in runs]) + (serial.plan_s + serial.merge_s) * MILLION / serial.pictures,
    )


def hours_per_million(parts: Parts, cores: int) -> float:
    """Return hours of wall time: start + the slower of the workers and the one process + end."""
    steady_s = MILLION / 1000 * max(parts.core_ms / cores, parts.starter_ms)
    return (parts.start_s + steady_s + parts.end_s) / 3600


def most_useful_cores(parts: Parts) -> int:
    """Return from how many cores on the one process is what all wait for."""
    return int(parts.core_ms / parts.starter_ms)


def median(values: list[float]) -> float:
    """Return the median."""
    return float(np.median(values))
