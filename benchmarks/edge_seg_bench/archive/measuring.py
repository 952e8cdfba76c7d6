"""Whole runs, timed from outside by the files they write."""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep, time

import numpy as np
from numpy.typing import NDArray

from edge_seg.errors import BenchmarkError
from edge_seg_bench.archive.result import Run, Way
from edge_seg_bench.device_processes import check_ended, program, start_program

_WINDOWS = 8
_SKIPPED = 0.1
"""Of the masks, at either end: workers start and end one after the other."""
_POLL_S = 0.1
_TIMEOUT_S = 1800.0


def measure_run(model: Path, pictures: Path, folder: Path, way: Way, workers: int) -> Run:
    """Run over a folder of pictures on as many cores as there are workers.

    Args:
        model: the .tflite file.
        pictures: the folder.
        folder: a new one for what is written; removed at the end.
        way: with Ray, which is started for the run, or without.
        workers: processes.

    Raises:
        BenchmarkError: the run failed, or this machine has fewer cores.
    """
    command = [program(), "run", str(pictures), "--model", str(model), "--jobs", str(workers)]
    outputs = {"local": [f"masks:{folder / 'masks'}", str(folder / "shares.csv")], "ray": [str(folder)]}[way]
    command += [part for output in outputs for part in ("--out", output)]
    command += ["--ray", "local"] if way == "ray" else []
    with held_to(workers):
        begun = time()
        process = start_program(command)
        cpu = _watch_cpu(process)
        check_ended(process)
        ended = time()
    written = mask_times(folder / "masks")
    shutil.rmtree(folder)
    return Run(
        way=way,
        workers=workers,
        total_s=ended - begun,
        first_s=written[0] - begun,
        last_s=ended - written[-1],
        window_ms=window_ms(written),
        starter_ms=cpu_ms(cpu, written),
    )


@contextmanager
def held_to(cores: int) -> Generator[None]:
    """Hold this process, and those it starts, to its first cores.

    Raises:
        BenchmarkError: it has fewer.
    """
    before = os.sched_getaffinity(0)
    if len(before) < cores:
        raise BenchmarkError(f"{cores} workers take {cores} cores, and this process may run on {len(before)}")
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def mask_times(folder: Path) -> NDArray[np.float64]:
    """Return when each mask was written, sorted, in seconds as `time.time` counts them.

    Raises:
        BenchmarkError: there are too few to measure anything.
    """
    times = sorted(path.stat().st_mtime for path in folder.glob("*.png"))
    if len(times) < 10 * _WINDOWS:
        raise BenchmarkError(f"{folder}: holds {len(times)} masks, too few to measure; give more --pictures")
    return np.array(times)


def window_ms(written: NDArray[np.float64]) -> tuple[float, ...]:
    """Return milliseconds a picture of consecutive stretches, from the times that masks were written at."""
    edges = np.linspace(len(written) * _SKIPPED, len(written) * (1 - _SKIPPED), _WINDOWS + 1).astype(int)
    return tuple(float(ms) for ms in 1000 * np.diff(written[edges]) / np.diff(edges))


def cpu_ms(samples: Sequence[tuple[float, float]], written: NDArray[np.float64]) -> float:
    """Return milliseconds of processor a picture between the first tenth of the masks and the last.

    Args:
        samples: (when, seconds of processor used until then).
        written: when masks were written.
    """
    first, last = (int(len(written) * share) for share in (_SKIPPED, 1 - _SKIPPED))
    when, used = ([sample[part] for sample in samples] for part in (0, 1))
    begin, end = (float(np.interp(float(written[index]), when, used)) for index in (first, last))
    return 1000 * (end - begin) / (last - first)


def _watch_cpu(process: subprocess.Popen[str]) -> list[tuple[float, float]]:
    """Sample how much processor a process has used, its children not counted, until it ends."""
    samples, until = [(time(), 0.0)], monotonic() + _TIMEOUT_S
    while process.poll() is None and monotonic() < until:
        samples.append((time(), _cpu_s(process.pid)))
        sleep(_POLL_S)
    return samples


def _cpu_s(pid: int) -> float:
    """Return the seconds of processor, in user and system mode, of a process that was not waited for (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
