"""The run itself: which pictures are not done yet, their rows as they come, and the table at the end."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

from edge_seg.archive.arrow import Column, Table, pa, pc
from edge_seg.archive.claim import claimed
from edge_seg.archive.cluster import joined, wanted_address
from edge_seg.archive.engine import segmented
from edge_seg.archive.note import NOTE, refuse_other_archive, write_note
from edge_seg.archive.parts import PartsWriter
from edge_seg.archive.storage import picture_names
from edge_seg.archive.table import TABLE, merge, read_rows, table_files
from edge_seg.archive.worker import Job, load_segmenter
from edge_seg.errors import EdgeSegError
from edge_seg.folder_run.outputs import unique_stems

MASKS = "masks"
_MOST_TOLD = 10


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
    """From the first row's wait to the last row; the start of Ray and the writing of the table are not in it."""

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
    address = wanted_address(run.address)
    load_segmenter(run.job)
    output = run.job.output
    with claimed(output):
        if run.fresh:
            _start_over(run)
        all_pictures, done = _pictures(run.job), _done(run)
        refuse_other_archive(output, made_by(run.job), done=len(done))
        todo = _pending(run, all_pictures, done)
        before = len(all_pictures) - len(todo)
        write_note(output, made_by(run.job))
        on_progress(before, len(all_pictures))
        seen = _Seen(before, len(all_pictures), on_progress)
        workers = _do(run, todo, address, seen) if len(todo) else 0
        _write_table(run)
    return ArchiveSummary(seen.count - seen.failed, before, seen.failed, tuple(seen.sentences), workers, seen.seconds)


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
        self.count = self.failed = 0
        self.sentences: list[str] = []
        self.seconds = 0.0

    def add(self, rows: Table) -> None:
        self.count += len(rows)
        errors = rows["error"].drop_null()
        self.failed += len(errors)
        room = _MOST_TOLD - len(self.sentences)
        self.sentences += errors.slice(0, room).to_pylist()
        self._on_progress(self._before + self.count, self._total)


def _do(run: ArchiveRun, todo: Table, address: str, seen: _Seen) -> int:
    """Segment pictures and write their rows into parts; return how many workers did it."""
    with joined(address, run.workers * run.job.threads) as cores:
        workers = min(run.workers or max(1, cores // run.job.threads), len(todo))
        parts = PartsWriter(run.job.output)
        started = time.perf_counter()
        try:
            with closing(segmented(run.job, todo, workers)) as tables:
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


def _pictures(job: Job) -> Table:
    names = picture_names(job.source)
    masks = pa.array((f"{MASKS}/{stem}.png" for stem in unique_stems(names)), pa.string())
    return pa.table({"path": pa.array(names, pa.string()), "mask": masks})


def _done(run: ArchiveRun) -> Table:
    """Return `path` and `mask` of the pictures that earlier runs have segmented."""
    files = _files(run)
    if not files:
        return pa.table({"path": pa.array([], pa.string()), "mask": pa.array([], pa.string())})
    rows = read_rows(files, ["path", "mask"])
    return rows.filter(pc.is_valid(rows["mask"]))


def _pending(run: ArchiveRun, pictures: Table, done: Table) -> Table:
    """Return the pictures without a row, or whose mask is not there, or would be called otherwise now."""
    written = pa.array(run.job.output.names(MASKS), pa.string())
    has_row = pc.is_in(_pairs(pictures), value_set=_pairs(done))
    return pictures.filter(pc.invert(pc.and_(has_row, pc.is_in(pictures["mask"], value_set=written))))


def _pairs(pictures: Table) -> Column:
    return pc.binary_join_element_wise(pictures["path"], pictures["mask"], "\n")


def _write_table(run: ArchiveRun) -> None:
    output, names = run.job.output, table_files(run.job.output)
    if names != [TABLE]:
        output.write(TABLE, merge(_files(run)))
        _remove(run, [name for name in names if name != TABLE])


def _start_over(run: ArchiveRun) -> None:
    output = run.job.output
    _remove(run, [*table_files(output), *([NOTE] if output.exists(NOTE) else [])])


def _files(run: ArchiveRun) -> list[bytes]:
    return [run.job.output.read(name) for name in table_files(run.job.output)]


def _remove(run: ArchiveRun, names: Sequence[str]) -> None:
    for name in names:
        run.job.output.remove(name)
