"""Keeping C++ libraries from writing to the user's terminal."""

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

_redirecting = threading.RLock()


@contextmanager
def quiet_stderr() -> Generator[None]:
    """Send file descriptor 2 to /dev/null inside the block; exceptions pass as ever.

    It is the descriptor of the whole process, so blocks are short and wait for each other.
    """
    with _redirecting:
        sys.stderr.flush()
        saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            os.close(nowhere)


@contextmanager
def loud_stderr() -> Generator[None]:
    """Wait until nobody keeps the descriptor quiet, and let nobody begin inside the block: what is said is read."""
    with _redirecting:
        yield
