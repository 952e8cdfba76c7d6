"""What each process of an archive's run does with its pictures."""

import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from edge_seg.archive.arrow import Table, pa
from edge_seg.archive.attempts import MOST_DEATHS, Attempt, Counts
from edge_seg.archive.note import NOTE
from edge_seg.archive.place import Place
from edge_seg.archive.rows import Row, row_of, row_schema, rows_table
from edge_seg.errors import EdgeSegError, ImageError, NameRefusedError, SourceError
from edge_seg.images import decode_image, encode_mask
from edge_seg.parallel import prepare_worker
from edge_seg.segmenter import Segmenter

FAULT = "fault"
"""The column, beside those of the table, with the sentence that ends the run."""

_GUESSED_PICTURE_S = 0.02


@dataclass(frozen=True)
class Job:
    """What is the same for all pictures; goes to every process."""

    source: Place
    output: Place
    model_name: str
    model: bytes
    """The file itself: other machines do not have it."""
    model_sha256: str
    runtime: str
    threads: int
    labels: tuple[str, ...] | None
    input_range: str | None
    version: str
    """Of edge-seg where the run was started."""


class Worker:
    """Holds a model; reads and segments pictures, writes their masks, and returns their rows.

    What ends the run comes back as a value in the column FAULT, as Ray would wrap an exception into its own and
    try again.
    """

    def __init__(self, job: Job, attempts: Counts) -> None:
        """Load the model.

        Args:
            job: what to do.
            attempts: shared by all workers.
        """
        prepare_worker()
        self._job, self._attempts = job, attempts
        self._fault: str | None = None
        try:
            self._load()
        except EdgeSegError as error:
            self._fault = f"{error} (on {socket.gethostname()})"

    def __call__(self, pictures: Table) -> Table:
        """Return the rows of `pictures`, which has the columns `path` and `mask`."""
        if self._fault is not None:
            return fault_table(self._fault)
        paths, masks = pictures["path"].to_pylist(), pictures["mask"].to_pylist()
        try:
            rows = self._do_all(paths, masks)
        except EdgeSegError as error:
            return fault_table(str(error))
        table = rows_table(rows, self._schema, self._job.model_sha256)
        return table.append_column(FAULT, pa.nulls(len(rows), pa.string()))

    def _load(self) -> None:
        job = self._job
        refuse_other_version(job.version)
        refuse_other_folder(job.output)
        self._begin("the model")
        self._segmenter = load_segmenter(job)
        self._schema = row_schema([item.name for item in self._segmenter.classes])
        self._colours = [item.rgb for item in self._segmenter.classes]

    def _do_all(self, paths: Sequence[str], masks: Sequence[str]) -> list[Row]:
        batch = f"{paths[0]} and the next"
        do = self._do if self._begin(batch).deaths < MOST_DEATHS else self._do_carefully
        rows = [do(path, mask) for path, mask in zip(paths, masks, strict=True)]
        if any(not row.given_up for row in rows):
            self._attempts.end(batch)
        return rows

    def _do_carefully(self, path: str, mask: str) -> Row:
        if self._begin(path).deaths >= MOST_DEATHS:
            sentence = f"{self._name(path)}: every process that read it died; replace the file"
            return Row(path, error=sentence, given_up=True)
        row = self._do(path, mask)
        self._attempts.end(path)
        return row

    def _do(self, path: str, mask: str) -> Row:
        try:
            image = decode_image(self._job.source.read(path), self._name(path))
        except (ImageError, SourceError) as error:
            return Row(path, error=str(error))
        segmentation = self._segmenter.segment(image)
        try:
            self._job.output.write(mask, encode_mask(segmentation.class_map, self._colours))
        except NameRefusedError as error:
            return Row(path, error=str(error))
        return row_of(path, mask, segmentation, len(self._segmenter.classes))

    def _name(self, path: str) -> str:
        return f"{self._job.source.uri.rstrip('/')}/{path}"

    def _begin(self, work: str) -> Attempt:
        attempt = self._attempts.begin(work)
        if attempt.hopeless:
            raise EdgeSegError(
                f"the workers die again and again, now in {work}, most likely because memory runs out; "
                "give fewer with --jobs, or larger machines"
            )
        return attempt


def load_segmenter(job: Job) -> Segmenter:
    """Load the model that a job carries.

    Raises:
        ModelError: as `Segmenter.load`.
    """
    with tempfile.TemporaryDirectory(prefix="edge-seg-") as folder:
        path = Path(folder, f"{job.model_name}.tflite")
        path.write_bytes(job.model)
        return Segmenter.load(
            path, runtime=job.runtime, threads=job.threads, labels=job.labels, input_range=job.input_range
        )


def picture_seconds(job: Job, path: str) -> float:
    """Return about how long a worker takes for a picture, from trying one; a guess when it cannot be read."""
    segmenter = load_segmenter(job)
    try:
        image = decode_image(job.source.read(path), path)
    except (ImageError, SourceError):
        return _GUESSED_PICTURE_S
    segmenter.segment(image)  # the first inference of a model takes longer than those after it
    started = time.perf_counter()
    segmentation = segmenter.segment(decode_image(job.source.read(path), path))
    encode_mask(segmentation.class_map)
    return time.perf_counter() - started


def refuse_other_version(wanted: str) -> None:
    """Raise EdgeSegError when this machine's edge-seg is not the one that started the run: masks might differ."""
    here = version("edge-seg")
    if here != wanted:
        raise EdgeSegError(
            f"this machine has edge-seg {here}, and the run was started by {wanted}; install the same on all"
        )


def refuse_other_folder(output: Place) -> None:
    """Raise EdgeSegError when this machine has another folder of the output's name: masks would be lost in it."""
    if not output.exists(NOTE):
        raise EdgeSegError(
            f"{output.uri}: this machine does not see there what the run's own machine wrote; give a folder that all "
            "machines share, or a bucket"
        )


def fault_table(sentence: str) -> Table:
    """Return what a worker answers when the run has to end."""
    return pa.table({FAULT: [sentence]})
