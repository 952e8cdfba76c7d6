"""`edge-seg run` over a folder: how much faster all cores are than one, and what very many pictures take of memory."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from edge_seg.errors import BenchmarkError
from edge_seg.parallel import core_count
from edge_seg_bench.device_pipeline import write_photo
from edge_seg_bench.device_processes import check_ended, program, start_program, watch_peak_rss

_TINY_WIDTH, _TINY_HEIGHT = 32, 24
_DIFFERENT = 50
_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class SpeedUps:
    """Seconds of one process over seconds of one per core, a ratio a round, and the medians."""

    ratios: tuple[float, ...]
    one_s: float
    all_s: float
    cores: int


def folder_speed_ups(model: Path, folder: Path, *, pictures: int, rounds: int) -> SpeedUps:
    """Alternate `--jobs 1` on one core and `--jobs 0` on all; masks, overlays and JSON lines of every picture.

    Raises:
        BenchmarkError: this machine has one core, or a run failed.
    """
    cores = core_count()
    if cores == 1:
        raise BenchmarkError("this process may run on one core only, so there is nothing to compare")
    write_folder(folder / "pictures", pictures)
    outputs = [f"masks:{folder / 'masks'}", f"overlays:{folder / 'overlays'}", str(folder / "events.jsonl")]
    one_s, all_s = list[float](), list[float]()
    for _ in range(rounds):
        one_s.append(_seconds(model, folder / "pictures", outputs, jobs=1))
        all_s.append(_seconds(model, folder / "pictures", outputs, jobs=0))
    ratios = tuple(one / every for one, every in zip(one_s, all_s, strict=True))
    return SpeedUps(ratios, float(np.median(one_s)), float(np.median(all_s)), cores)


def folder_peak_rss_growth_bytes(model: Path, folder: Path, *, few: int, many: int) -> int:
    """Return how much more memory at its peak the process with the list takes for many pictures than for few.

    Raises:
        BenchmarkError: a run failed.
    """
    peaks: list[int] = []
    for count in (few, many):
        write_tiny_folder(folder / f"{count}", count)
        process = start_program(_command(model, folder / f"{count}", [str(folder / f"{count}.jsonl")], jobs=0))
        peaks.append(watch_peak_rss(process, _TIMEOUT_S))
    return peaks[1] - peaks[0]


def write_folder(folder: Path, count: int) -> None:
    """Write one photograph under `count` names."""
    folder.mkdir(parents=True)
    write_photo(folder / "000000.jpg")
    _link(folder, 1, count)


def write_tiny_folder(folder: Path, count: int) -> None:
    """Write a few tiny pictures under `count` names."""
    folder.mkdir(parents=True)
    few = min(_DIFFERENT, count)
    for index in range(few):
        picture = np.full((_TINY_HEIGHT, _TINY_WIDTH, 3), 5 * index, np.uint8)
        if not cv2.imwrite(str(folder / f"{index:06d}.jpg"), picture):
            raise BenchmarkError(f"{folder}: OpenCV cannot write pictures into it; check its rights")
    _link(folder, few, count)


def _link(folder: Path, few: int, count: int) -> None:
    """Name the first `few` pictures again and again: file systems allow some 60,000 names of one file."""
    for index in range(few, count):
        os.link(folder / f"{index % few:06d}.jpg", folder / f"{index:06d}.jpg")


def _seconds(model: Path, pictures: Path, outputs: Sequence[str], *, jobs: int) -> float:
    begun = perf_counter()
    process: subprocess.Popen[str] = start_program(_command(model, pictures, outputs, jobs=jobs))
    check_ended(process, _TIMEOUT_S)
    return perf_counter() - begun


def _command(model: Path, pictures: Path, outputs: Sequence[str], *, jobs: int) -> list[str]:
    outs = [part for output in outputs for part in ("--out", output)]
    return [program(), "run", str(pictures), "--model", str(model), "--jobs", str(jobs), "--fresh", *outs]
