"""The class shares of the last minutes, one mean per second."""

from collections import deque
from collections.abc import Sequence

DEFAULT_SPAN_S = 600


class ShareHistory:
    """A ring of seconds. Seconds without a result are not in it: a plot shows them as a gap."""

    def __init__(self, span_s: int = DEFAULT_SPAN_S) -> None:
        self._span_s = span_s
        self._seconds: deque[tuple[int, tuple[float, ...]]] = deque(maxlen=span_s)
        self._second = 0
        self._sums: list[float] = []
        self._count = 0

    def add(self, time_s: float, shares: Sequence[float]) -> None:
        """Count in one result's shares, in the order of the classes; `time_s` never goes back."""
        if self._count == 0 or int(time_s) != self._second:
            self._finish_second()
            self._second, self._sums, self._count = int(time_s), [0.0] * len(shares), 0
        self._sums = [total + share for total, share in zip(self._sums, shares, strict=True)]
        self._count += 1

    def seconds(self, now_s: float) -> list[tuple[int, tuple[float, ...]]]:
        """Return (second, mean share per class) of the span up to `now_s`, the oldest first."""
        oldest = now_s - self._span_s
        whole = [entry for entry in self._seconds if entry[0] >= oldest]
        return [*whole, *self._running()]

    def _finish_second(self) -> None:
        self._seconds.extend(self._running())

    def _running(self) -> list[tuple[int, tuple[float, ...]]]:
        if self._count == 0:
            return []
        return [(self._second, tuple(total / self._count for total in self._sums))]
