"""Telling waiters on an event loop, from any thread, that something is new."""

import asyncio
from contextlib import suppress


class Wakeup:
    """One event after the other: whoever took `next` before a `wake` is woken by it.

    Belongs to the loop that `attach` names; before that, and after the loop has ended, `wake` does nothing.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._event = asyncio.Event()
        self.closed = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Name the loop on which the waiters are."""
        self._loop = loop

    def next(self) -> asyncio.Event:
        """Return the event that the next `wake` sets; for the loop's own thread."""
        return self._event

    def wake(self) -> None:
        """Wake all who wait; for any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._set)

    def close(self) -> None:
        """Wake all who wait for the last time; for any thread."""
        self.closed = True
        self.wake()

    def _set(self) -> None:
        event = self._event
        self._event = event if self.closed else asyncio.Event()
        event.set()
