"""How many bytes a second copying moves: STREAM's "copy" (McCalpin 1995, https://www.cs.virginia.edu/stream/) in NumPy.

As in STREAM, the bytes read and the bytes written count, what a cache fetches before it writes does not; an array in
memory is at least four times as big as the last cache, and the best of several repetitions stands.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

_REPETITIONS = 50
_LEAST_REPETITION_S = 0.0005
_KIB = 1024
_CACHED_ARRAY_BYTES = tuple(size * _KIB for size in (8, 32, 128))
_LEAST_MEMORY_ARRAY_BYTES = 32 * _KIB**2
_TIMES_THE_CACHE = 4
_MOST_OF_MEMORY = 1 / 8

_Pair = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def memory_bytes_per_s(threads: int, root: Path = Path("/")) -> float:
    """Return the rate of a copy from memory to memory, `threads` of them sharing the arrays."""
    return copy_bytes_per_s(memory_array_bytes(last_cache_bytes(root), _memory_bytes()) // threads, threads)


def cache_bytes_per_s(threads: int) -> float:
    """Return the best rate of copies that stay in the caches of the cores, one pair of arrays a thread."""
    return max(copy_bytes_per_s(size, threads) for size in _CACHED_ARRAY_BYTES)


def copy_bytes_per_s(array_bytes: int, threads: int) -> float:
    """Return bytes read and written per second when each thread copies an array of `array_bytes` to another."""
    pairs = [(np.ones(array_bytes, np.uint8), np.zeros(array_bytes, np.uint8)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        copies = 1
        while (elapsed_s := _elapsed_s(pool, pairs, copies)) < _LEAST_REPETITION_S:
            copies *= 2
        best_s = min(elapsed_s, *(_elapsed_s(pool, pairs, copies) for _ in range(_REPETITIONS)))
    return 2 * array_bytes * threads * copies / best_s


def memory_array_bytes(cache_bytes: int, memory_bytes: int) -> int:
    """Return the size of an array that is far too big for a cache, and yet leaves a small board its memory."""
    wanted = max(_LEAST_MEMORY_ARRAY_BYTES, _TIMES_THE_CACHE * cache_bytes)
    return min(wanted, int(memory_bytes * _MOST_OF_MEMORY))


def last_cache_bytes(root: Path = Path("/")) -> int:
    """Return the size of the biggest cache of the first core; 0 where the kernel does not tell."""
    sizes = root.glob("sys/devices/system/cpu/cpu0/cache/index*/size")
    return max((_size_bytes(path.read_text(encoding="ascii")) for path in sizes), default=0)


def _size_bytes(text: str) -> int:
    """Read sysfs' "512K" or "32M"."""
    number, unit = text.strip()[:-1], text.strip()[-1:]
    return int(number) * _KIB ** {"K": 1, "M": 2, "G": 3}[unit]


def _elapsed_s(pool: ThreadPoolExecutor, pairs: Sequence[_Pair], copies: int) -> float:
    """Return the seconds from the first thread's beginning to the last one's end."""
    spans = list(pool.map(partial(_copy, copies=copies), pairs))
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _copy(pair: _Pair, *, copies: int) -> tuple[float, float]:
    """Copy and return when it began and ended; NumPy lets go of Python's global lock, so threads run side by side."""
    source, target = pair
    start = perf_counter()
    for _ in range(copies):
        np.copyto(target, source)
    return start, perf_counter()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
