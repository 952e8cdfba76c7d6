"""The run itself: which pictures are not done yet, their rows as they come, and the table at the end."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from edge_seg.archive.arrow import Table
from edge_seg.archive.claim import Claim, claimed
from edge_seg.archive.cluster import joined, wanted_address
from edge_seg.archive.engine import cut_into_tasks, segmented
from edge_seg.archive.last_words import last_words
from edge_seg.archive.note import refuse_other_archive, remove_note, write_note
from edge_seg.archive.parts import PartsWriter
from edge_seg.archive.pending import pending_pictures, pictures_of
from edge_seg.archive.storage import check_apart
from edge_seg.archive.table import done_pictures, has_rows, remove_rows, write_table
from edge_seg.archive.worker import Job, load_segmenter, picture_seconds
from edge_seg.errors import EdgeSegError
from edge_seg.files import remove_parts

_MOST_TOLD = 10
_KILLED = (
    "edge-seg: the run was killed, or ended by Ray because this machine's part of the cluster died; "
    "what is done is kept, and the same command goes on"
)


@dataclass(frozen=True)
class ArchiveRun:
    """What to run."""

    job: Job
    address: str
    """Of the Ray cluster, or `auto` or `local`."""
    workers: int
    """Processes; 0 for as many as the cluster has cores for."""
    fresh: bool
    """Start over whatever was done before."""


@dataclass(frozen=True)
class ArchiveSummary:
    """What a run over an archive came to."""

    frames: int
    """Pictures that were segmented now."""
    done_before: int
    """Pictures that earlier runs had segmented."""
    failed: int
    """Pictures that could not be read; the table's column `error` says why."""
    left_out: tuple[str, ...]
    """A sentence for the first few of those."""
    workers: int
    seconds: float
    """From the workers' start to the last row; the start of Ray and the writing of the table are not in it."""

    @property
    def fps(self) -> float:
        """Pictures per second of that time."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


OnProgress = Callable[[int, int], None]
"""Called with the pictures that are done, those of earlier runs included, and with how many there are."""


def run_archive(run: ArchiveRun, on_progress: OnProgress) -> ArchiveSummary:
    """Segment what is not done yet, and write the table.

    Raises:
        EdgeSegError: the first error; what was done until then is kept.
        KeyboardInterrupt: likewise.
    """
    check_apart(run.job.source, run.job.output)
    address = wanted_address(run.address)
    load_segmenter(run.job)
    with claimed(run.job.output) as claim:
        _prepare_output(run)
        pictures, done = pictures_of(run.job.source), done_pictures(run.job.output)
        if has_rows(run.job.output):
            refuse_other_archive(run.job.output, made_by(run.job), done=len(done))
        todo = pending_pictures(pictures, done, run.job.output)
        seen = _Seen(len(pictures) - len(todo), len(pictures), on_progress)
        workers = _segment(run, todo, address, seen, claim) if len(todo) else 0
        claim.check()
        write_table(run.job.output)
    return seen.summary(workers)


def made_by(job: Job) -> dict[str, str]:
    """Return what an archive is made of, as words that a message may show."""
    return {
        "edge-seg": job.version,
        "the model": f"{job.model_name} {job.model_sha256[:12]}",
        "the runtime": job.runtime,
        "the list of labels": ", ".join(job.labels or ()) or "the model's own",
        "the input range": job.input_range or "the model's own",
        "the source": job.source.uri,
    }


class _Seen:
    """Counts the rows that come back."""

    def __init__(self, before: int, total: int, on_progress: OnProgress) -> None:
        self._before, self._total, self._on_progress = before, total, on_progress
        self.count = self._failed = 0
        self._sentences: list[str] = []
        self.seconds = 0.0
        on_progress(before, total)

    def add(self, rows: Table) -> None:
        errors = rows["error"].drop_null()
        self.count += len(rows)
        self._failed += len(errors)
        self._sentences += errors.slice(0, _MOST_TOLD - len(self._sentences)).to_pylist()
        self._on_progress(self._before + self.count, self._total)

    def summary(self, workers: int) -> ArchiveSummary:
        told = tuple(self._sentences)
        return ArchiveSummary(self.count - self._failed, self._before, self._failed, told, workers, self.seconds)


def _prepare_output(run: ArchiveRun) -> None:
    output = run.job.output
    if output.local:
        remove_parts(output.folder)
    if run.fresh:
        remove_rows(output)
        remove_note(output)


def _segment(run: ArchiveRun, todo: Table, address: str, seen: _Seen, claim: Claim) -> int:
    """Segment pictures and write their rows into parts; return how many workers did it."""
    threads = run.job.threads
    with last_words(_KILLED), joined(address, run.workers * threads) as cluster:
        workers = min(run.workers or cluster.workers(threads), len(todo))
        write_note(run.job.output, made_by(run.job))
        parts = PartsWriter(run.job.output, claim.check)
        started = time.perf_counter()
        try:
            tasks = cut_into_tasks(todo, workers, picture_seconds(run.job, todo["path"][len(todo) // 2].as_py()))
            with closing(segmented(run.job, tasks, workers)) as tables:
                for rows in tables:
                    parts.add(rows)
                    seen.add(rows)
        finally:
            seen.seconds = time.perf_counter() - started
            parts.flush()
    if seen.count < len(todo):
        raise EdgeSegError(
            f"{len(todo) - seen.count:,} pictures came back without a result; the same command does them again"
        )
    return workers
