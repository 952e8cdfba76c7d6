"""Threads that may hang in native code, and how a process ends in spite of them.

A daemon thread that comes back from native code while the interpreter is being taken down is ended
by unwinding its stack, which aborts the process where C++ is on it (https://github.com/python/cpython/issues/87135).
"""

import atexit
import os
import sys
import threading
from collections.abc import Callable

_LONGEST_WAIT_S = 10.0


class NativeThread(threading.Thread):
    """A daemon thread that calls native code which may take seconds to return."""

    def __init__(self, target: Callable[[], None], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)


def end_process(code: int) -> None:
    """End the process at once if a native thread hangs, skipping the interpreter's clean-up; else just return."""
    if _hanging():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _hanging() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if isinstance(thread, NativeThread)]


@atexit.register
def _wait_for_hanging() -> None:
    for thread in _hanging():
        thread.join(_LONGEST_WAIT_S)
