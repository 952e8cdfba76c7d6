"""Temperature and throttling of the board, read no more often than they change."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_seg import machine

_READ_EVERY_S = 5.0


@dataclass(frozen=True)
class BoardReading:
    """What the board says of itself; None where it does not say it."""

    temperature_c: float | None = None
    throttling: tuple[str, ...] | None = None
    """What holds it back, as `edge_seg.machine.throttle_reasons` spells it."""


class Board:
    """Reads the board when asked, at most every few seconds. Safe to share between threads."""

    def __init__(
        self,
        temperature_c: Callable[[], float | None] = machine.temperature_c,
        throttling: Callable[[], tuple[str, ...] | None] = machine.throttling,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._temperature_c, self._throttling, self._clock = temperature_c, throttling, clock
        self._lock = threading.Lock()
        self._reading = BoardReading()
        self._due_s = clock()

    def read(self) -> BoardReading:
        """Return a reading that is at most five seconds old."""
        with self._lock:
            if self._clock() >= self._due_s:
                self._reading = BoardReading(self._temperature_c(), self._throttling())
                self._due_s = self._clock() + _READ_EVERY_S
            return self._reading
