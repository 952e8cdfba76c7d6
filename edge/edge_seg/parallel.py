"""One function over many items on all cores, with memory that does not grow with their number."""

import multiprocessing
import os
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

import cv2

from edge_seg.errors import EdgeSegError

T = TypeVar("T")
R = TypeVar("R")

FEWEST_ITEMS = 64
"""Below this many, starting processes takes longer than they save."""

_WAITING_PER_PROCESS = 8


def map_in_processes(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield `function(item)` for every item, in order, computed in one process per core.

    Few items, or one core, are worked off in this process. No more than a handful of items and
    results wait at any time. The first error ends the iteration and stops the processes.

    Args:
        function: importable by name, as is everything it closes over (`functools.partial` will do).
        items: read lazily, in this process.

    Raises:
        EdgeSegError: a process was killed, most likely for want of memory.
    """
    processes = os.cpu_count() or 1
    if processes == 1 or (isinstance(items, Sized) and len(items) < FEWEST_ITEMS):
        yield from map(function, items)
        return
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_prepare)
    try:
        yield from _bounded(pool, function, iter(items), processes * _WAITING_PER_PROCESS)
    except BrokenProcessPool:
        raise EdgeSegError(
            "a worker process was killed, most likely because memory ran out; close other programs and try again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _bounded(
    pool: ProcessPoolExecutor, function: Callable[[T], R], items: Iterator[T], most_waiting: int
) -> Iterator[R]:
    waiting: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(items, most_waiting))
    while waiting:
        yield waiting.popleft().result()
        waiting.extend(pool.submit(function, item) for item in islice(items, 1))


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to answer
    warnings.simplefilter("ignore")  # a picture's oddities are reported as results, not on the terminal
    cv2.setNumThreads(1)
