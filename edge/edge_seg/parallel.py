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
from typing import TypeVar

import cv2

from edge_seg.allocator import keep_freed_memory
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
        with _holding_interrupts():
            pool.shutdown(cancel_futures=True)


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


def _prepare() -> None:
    warnings.simplefilter("ignore")  # a picture's oddities are reported as results, not on the terminal
    cv2.setNumThreads(1)
    keep_freed_memory()
