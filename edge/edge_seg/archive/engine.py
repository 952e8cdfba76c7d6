"""Pictures through Ray Data: lists of names out to the workers, rows back as they come."""

import logging
import warnings
from collections.abc import Generator, Sequence
from importlib import import_module
from typing import Any

from edge_seg.archive.arrow import Table
from edge_seg.archive.attempts import SharedAttempts
from edge_seg.archive.worker import FAULT, Job, Worker
from edge_seg.errors import EdgeSegError

_TASK_S = 1.0
"""Of work for a core in a task, against some 10 ms that a task costs; a worker that dies loses two of them."""
_MOST_AT_ONCE = 256
_LEAST_TASKS_PER_WORKER = 8
"""So that no worker waits long for the last one."""


def segmented(job: Job, tasks: Sequence[Table], workers: int) -> Generator[Table]:
    """Yield the rows of all pictures, a table a task, in the order they are done.

    Args:
        job: what to do.
        tasks: pictures, columns `path` and `mask`; each table is done by one worker in one go.
        workers: processes, each of `job.threads` cores.

    Raises:
        EdgeSegError: an output cannot be written, a worker cannot load the model, or the cluster is gone.
    """
    data: Any = import_module("ray.data")
    exceptions: Any = import_module("ray.exceptions")
    _silence(data)
    blocks = data.from_blocks(list(tasks))  # from_arrow would start a task for each to look at it
    rows = blocks.map_batches(
        Worker,
        batch_size=None,
        batch_format="pyarrow",
        compute=data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=job.threads,
        fn_constructor_args=(job, SharedAttempts(workers)),
    )
    try:
        for table in rows.iter_batches(batch_size=None, batch_format="pyarrow"):
            _raise_fault(table)
            yield table.drop_columns([FAULT])
    except exceptions.RayError as error:
        raise EdgeSegError(_sentence(error)) from None


def cut_into_tasks(pictures: Table, workers: int, picture_s: float) -> list[Table]:
    """Cut a table of pictures into tables of about a second of work.

    Args:
        pictures: one row at least.
        workers: among whom they are shared.
        picture_s: seconds that a picture takes.
    """
    size = min(round(_TASK_S / picture_s), _MOST_AT_ONCE, len(pictures) // (workers * _LEAST_TASKS_PER_WORKER))
    return [pictures.slice(first, max(1, size)) for first in range(0, len(pictures), max(1, size))]


def _raise_fault(table: Table) -> None:
    sentence = table[FAULT][0].as_py()
    if sentence is not None:
        raise EdgeSegError(sentence)


def _silence(data: Any) -> None:
    """Keep off the terminal what Ray Data says of its plans."""
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="ray")


def _sentence(error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"the Ray cluster ended the run ({reason:.200}); what is done is kept, and the same command goes on"
