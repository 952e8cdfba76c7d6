"""The ways to end a live run: the key q on the terminal, and SIGTERM."""

import os
import select
import signal
import termios
import threading
import tty
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

_STDIN = 0
_POLL_S = 0.2


@contextmanager
def quit_on_sigterm(on_quit: Callable[[], None]) -> Generator[None]:
    """Call `on_quit`, once, when the process is asked to end, in place of ending it on the spot.

    A second signal may come in the middle of the first one's `on_quit`, whose locks the same thread then holds.
    """
    asked = False

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            on_quit()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupt() -> None:
    """End as Ctrl-C does: batch systems and service managers send SIGTERM."""
    raise KeyboardInterrupt


@contextmanager
def quit_on_q(on_quit: Callable[[], None]) -> Generator[None]:
    """Call `on_quit` when q is typed on the terminal, which gets its mode back at the end.

    Does nothing when standard input is no terminal, or belongs to another job.
    """
    if not _has_the_terminal():
        yield
        return
    before, done = termios.tcgetattr(_STDIN), threading.Event()
    reader = threading.Thread(target=_read_keys, args=(on_quit, done), daemon=True)
    tty.setcbreak(_STDIN)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, before)


def _has_the_terminal() -> bool:
    try:
        return os.tcgetpgrp(_STDIN) == os.getpgrp()
    except OSError:  # no terminal, or, for a program that the system started, not its controlling one
        return False


def _read_keys(on_quit: Callable[[], None], done: threading.Event) -> None:
    while not done.is_set():
        readable, _, _ = select.select([_STDIN], [], [], _POLL_S)
        if readable and os.read(_STDIN, 1) in (b"q", b"Q"):
            on_quit()
            return
