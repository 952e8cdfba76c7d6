"""The run itself: pictures out to the processes, results back in order, and a note of how far it came."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from edge_seg.allocator import keep_freed_memory
from edge_seg.folder_run.outputs import Output, unique_stems
from edge_seg.folder_run.state import Progress, file_digest, names_digest, note, resume, start_over
from edge_seg.folder_run.work import Done, Picture, Wanted, Work, do_picture
from edge_seg.parallel import FEWEST_ITEMS, core_count, map_in_processes
from edge_seg.sinks import Sink

_NOTE_EVERY_S = 1.0
_WAITING_PER_PROCESS = 3
_BYTES_PER_PROCESS = 200_000_000
_AVAILABLE = Path("/proc/meminfo")


@dataclass(frozen=True)
class FolderRun:
    """What to run."""

    work: Work
    outputs: tuple[Output, ...]
    names: Sequence[str]
    """The pictures, sorted."""
    jobs: int
    """Processes; 0 for one on each core."""
    fresh: bool
    """Start over whatever was done before."""

    @property
    def resumable(self) -> bool:
        """True when every output can be gone on with."""
        return all(output.resumable for output in self.outputs)


@dataclass(frozen=True)
class FolderSummary:
    """What a run over a folder came to."""

    frames: int
    """Pictures that were segmented now."""
    done_before: int
    """Pictures that earlier runs had done, those left out included."""
    left_out: tuple[str, ...]
    """A sentence for each picture that cannot be read, of all runs."""
    jobs: int
    seconds: float
    preprocess_ms: float
    """Mean per picture, as are the next two."""
    invoke_ms: float
    postprocess_ms: float

    @property
    def fps(self) -> float:
        """Pictures per second of wall time."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


OnProgress = Callable[[int], None]
"""Called with the number of pictures that are done, those of earlier runs included."""


def run_folder(run: FolderRun, sinks: Sequence[Sink], on_progress: OnProgress) -> FolderSummary:
    """Segment what is not done yet; closes the sinks.

    Args:
        run: what to run.
        sinks: those outputs that have an order, opened; nothing is written to them before it is known where to
            go on.
        on_progress: called on the calling thread.

    Raises:
        EdgeSegError: the first error; what was done until then is noted.
        KeyboardInterrupt: likewise.
    """
    cv2.setNumThreads(1)
    keep_freed_memory()
    started = time.perf_counter()
    made_by = _made_by(run)
    progress = _beginning(run, made_by)
    before, jobs = progress.done, _job_count(run.jobs, len(run.names) - progress.done)
    on_progress(before)
    means = _Means()
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        notes = _Notes(run, made_by, progress)
        stack.callback(notes.write)
        for done in stack.enter_context(closing(_done_in_order(run, sinks, before, jobs))):
            _take(done, progress, sinks)
            means.add(done)
            notes.write_now_and_then()
            on_progress(progress.done)
    left_out = tuple(progress.left_out[index] for index in sorted(progress.left_out))
    return FolderSummary(means.count, before, left_out, jobs, time.perf_counter() - started, *means.means)


def _take(done: Done, progress: Progress, sinks: Sequence[Sink]) -> None:
    if done.refusal is not None:
        progress.left_out[done.index] = done.refusal
    if done.result is not None:
        for sink in sinks:
            sink.write(done.result)
    progress.done = done.index + 1


def _beginning(run: FolderRun, made_by: Mapping[str, str]) -> Progress:
    resumable = [output for output in run.outputs if output.resumable]
    if run.fresh or not run.resumable:
        return start_over(resumable)
    return resume(resumable, made_by, run.names)


def _done_in_order(run: FolderRun, sinks: Sequence[Sink], first: int, jobs: int) -> Generator[Done]:
    pieces = tuple(output.uri for output in run.outputs if output.in_pieces)
    wanted = Wanted(pieces, result=bool(sinks), picture=any(not output.resumable for output in run.outputs))
    stems = unique_stems(run.names)
    pictures = (Picture(index, run.names[index], stem) for index, stem in enumerate(stems))
    work = partial(do_picture, run.work, wanted)
    return map_in_processes(work, islice(pictures, first, None), processes=jobs, most_waiting=_WAITING_PER_PROCESS)


def _job_count(asked: int, pictures: int) -> int:
    if asked:
        return asked
    if pictures < FEWEST_ITEMS:
        return 1
    return max(1, min(core_count(), _available_bytes() // _BYTES_PER_PROCESS))


def _available_bytes() -> int:
    """Return the memory that processes may take; on another system than Linux, more than they will."""
    if not _AVAILABLE.exists():
        return 2**40
    lines = dict(line.split(":", 1) for line in _AVAILABLE.read_text(encoding="ascii").splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _made_by(run: FolderRun) -> dict[str, str]:
    work = run.work
    return {
        "edge-seg": version("edge-seg"),
        "the model": f"{work.model.name} {file_digest(work.model)}",
        "the runtime": work.runtime,
        "the list of labels": ", ".join(work.labels or ()) or "the model's own",
        "the input range": work.input_range or "the model's own",
        "the opacity": f"{work.opacity:g}",
        "the folder": str(work.folder.resolve()),
        "the list of pictures": f"{len(run.names):,} {names_digest(run.names)}",
    }


class _Notes:
    """Writes how far the run has come, now and then and at the end."""

    def __init__(self, run: FolderRun, made_by: Mapping[str, str], progress: Progress) -> None:
        self._outputs = run.outputs if run.resumable else ()
        self._made_by, self._progress = made_by, progress
        self.write()

    def write_now_and_then(self) -> None:
        if time.monotonic() - self._written_at >= _NOTE_EVERY_S:
            self.write()

    def write(self) -> None:
        note(self._outputs, self._made_by, self._progress)
        self._written_at = time.monotonic()


class _Means:
    """Mean milliseconds of the stages."""

    def __init__(self) -> None:
        self.count = 0
        self._sums = np.zeros(3)

    def add(self, done: Done) -> None:
        if done.refusal is None:
            self.count += 1
            self._sums += done.stage_ms

    @property
    def means(self) -> tuple[float, float, float]:
        before, within, after = (float(total) / max(self.count, 1) for total in self._sums)
        return before, within, after
