"""Passing values from one thread to the next, with a bound."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Handoff(Generic[T]):
    """A bounded queue between two threads; `iter` ends once it is closed and empty.

    When full it either makes the producer wait, or, with `newest_wins`, drops the oldest value:
    a capacity of 1 is then a mailbox that holds the newest frame.
    """

    def __init__(self, capacity: int, *, newest_wins: bool = False) -> None:
        self.dropped = 0
        self._values: deque[T] = deque()
        self._capacity = capacity
        self._newest_wins = newest_wins
        self._changed = threading.Condition()
        self._closed = False

    def put(self, value: T) -> None:
        """Add a value; after `close` it is discarded, so that no producer waits for ever."""
        with self._changed:
            while not self._closed and not self._newest_wins and len(self._values) >= self._capacity:
                self._changed.wait()
            if self._closed:
                return
            if len(self._values) >= self._capacity:
                self._values.popleft()
                self.dropped += 1
            self._values.append(value)
            self._changed.notify_all()

    def close(self, *, discard: bool = False) -> None:
        """Announce that nothing more comes; with `discard` what waits is thrown away, too."""
        with self._changed:
            self._closed = True
            if discard:
                self._values.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                while not self._values and not self._closed:
                    self._changed.wait()
                if not self._values:
                    return
                value = self._values.popleft()
                self._changed.notify_all()
            yield value
