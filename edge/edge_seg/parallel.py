"""One function over many items on all cores, with memory that does not grow with their number."""

import multiprocessing
import os
import signal
import threading
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sized
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import connection
from typing import TypeVar

import cv2

from edge_seg.allocator import keep_freed_memory
from edge_seg.errors import EdgeSegError

T = TypeVar("T")
R = TypeVar("R")

FEWEST_ITEMS = 64
"""Below this many, starting processes takes longer than they save."""

_WAITING_PER_PROCESS = 8


def map_in_processes(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    processes: int | None = None,
    most_waiting: int = _WAITING_PER_PROCESS,
) -> Generator[R]:
    """Yield `function(item)` for every item, in order, computed in one process per core.

    Few items, or one core, are worked off in this process. No more than a handful of items and
    results wait at any time. The first error ends the iteration and stops the processes.

    Args:
        function: importable by name, as is everything it closes over (`functools.partial` will do).
        items: read lazily, in this process.
        processes: how many; one per core when left out. 1 means this process.
        most_waiting: items and results per process that may wait.

    Raises:
        EdgeSegError: a process was killed, most likely for want of memory.
    """
    few = processes is None and isinstance(items, Sized) and len(items) < FEWEST_ITEMS
    processes = processes or core_count()
    if processes == 1 or few:
        yield from map(function, items)
        return
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_prepare)
    try:
        yield from _bounded(pool, function, iter(items), processes * most_waiting)
    except BrokenProcessPool:
        raise EdgeSegError(
            "a worker process was killed, most likely because memory ran out; close other programs and try again"
        ) from None
    finally:
        with _holding_interrupts():
            pool.shutdown(cancel_futures=True)


def core_count() -> int:
    """Return the number of cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bounded(
    pool: ProcessPoolExecutor, function: Callable[[T], R], items: Iterator[T], most_waiting: int
) -> Iterator[R]:
    waiting: deque[Future[R]] = deque()
    for item in islice(items, most_waiting):
        waiting.append(_submitted(pool, function, item))
    while waiting:
        yield waiting.popleft().result()
        for item in islice(items, 1):
            waiting.append(_submitted(pool, function, item))


def _submitted(pool: ProcessPoolExecutor, function: Callable[[T], R], item: T) -> Future[R]:
    with _holding_interrupts():
        return pool.submit(function, item)


@contextmanager
def _holding_interrupts() -> Generator[None]:
    """Let Ctrl-C wait: half-started processes would wait for ever. Processes started here never see it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children inherit it
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
    if held:
        signal.raise_signal(signal.SIGINT)


def prepare_worker() -> None:
    """Make this process one of several that each segment on one core."""
    warnings.simplefilter("ignore")  # a picture's oddities are reported as results, not on the terminal
    cv2.setNumThreads(1)
    keep_freed_memory()


def _prepare() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare_worker()


def _end_with_parent() -> None:
    """End this process when the one that started it is killed; it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
