"""The run itself: pictures out to the processes, results back in order, and a note of how far it came."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
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
from edge_seg.folder_run.state import Progress, names_digest, note, resume, start_over
from edge_seg.folder_run.work import Done, Picture, Wanted, Work, do_pictures
from edge_seg.model_identity import identify
from edge_seg.parallel import FEWEST_ITEMS, core_count, map_in_processes
from edge_seg.sinks import Sink
from edge_seg.sinks.lines import LinesFile

_NOTE_EVERY_S = 1.0
_LIGHT_BATCH, _LIGHT_WAITING = 4, 8
"""Pictures in a task, and tasks of a process that may wait, while only lines come back."""
_HEAVY_BATCH, _HEAVY_WAITING = 1, 3
"""The same while pictures come back, which take memory."""
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
        for done in stack.enter_context(closing(_done_in_order(run, before, jobs))):
            _take(done, progress, sinks)
            means.add(done)
            notes.write_now_and_then()
            on_progress(progress.done)
    left_out = tuple(progress.left_out[index] for index in sorted(progress.left_out))
    return FolderSummary(means.count, before, left_out, jobs, time.perf_counter() - started, *means.means)


def _take(done: Done, progress: Progress, sinks: Sequence[Sink]) -> None:
    if done.refusal is not None:
        progress.left_out[done.index] = done.refusal
    lines = iter(done.lines)
    for sink in sinks if done.refusal is None else ():
        if isinstance(sink, LinesFile):
            sink.write_line(next(lines))
        elif done.result is not None:
            sink.write(done.result)
    progress.done = done.index + 1


def _beginning(run: FolderRun, made_by: Mapping[str, str]) -> Progress:
    resumable = [output for output in run.outputs if output.resumable]
    if run.fresh or not run.resumable:
        return start_over(resumable)
    return resume(resumable, made_by, run.names)


def _done_in_order(run: FolderRun, first: int, jobs: int) -> Generator[Done]:
    wanted = _wanted(run.outputs)
    batch, waiting = (_HEAVY_BATCH, _HEAVY_WAITING) if wanted.result else (_LIGHT_BATCH, _LIGHT_WAITING)
    work = partial(do_pictures, run.work, wanted)
    tasks = _batches(run.names, first, batch if jobs > 1 else 1)
    with closing(map_in_processes(work, tasks, processes=jobs, most_waiting=waiting)) as results:
        for done in results:
            yield from done


def _wanted(outputs: Sequence[Output]) -> Wanted:
    return Wanted(
        pieces=tuple(output.uri for output in outputs if output.in_pieces),
        lines=tuple(output.path for output in outputs if output.kind == "lines"),
        result=any(output.kind == "whole" for output in outputs),
    )


def _batches(names: Sequence[str], first: int, size: int) -> Iterator[tuple[Picture, ...]]:
    pictures = (Picture(index, names[index], stem) for index, stem in enumerate(unique_stems(names)))
    rest = islice(pictures, first, None)
    return iter(lambda: tuple(islice(rest, size)), ())


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
        "the model": f"{work.model.name} {identify(work.model).short}",
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
