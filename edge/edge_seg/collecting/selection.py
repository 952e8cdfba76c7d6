"""Which frames are worth keeping: the least sure share of what was seen lately, not too many at a time."""

import math

import numpy as np

LEAST_SURE_SHARE = 0.05
"""One look in twenty. A fixed bar would not do: what one model calls unsure is another's average
(`python -m edge_seg_bench.collecting` prints what every bar keeps of which model)."""

_REMEMBERED = 3600
_LOOKS_PER_INTERVAL = 60
_SHORTEST_LOOK_S, _LONGEST_LOOK_S = 0.1, 1.0
_PATIENCE = 10


class RunningShare:
    """Tells the highest few of a stream of numbers, measured by the latest 3,600 of them."""

    def __init__(self, share: float = LEAST_SURE_SHARE, *, floor: float = 0.0) -> None:
        """Take the highest `share` (0 to 1) of all numbers, none of them at or below `floor`."""
        self._share, self._floor = share, floor
        self._latest = np.zeros(_REMEMBERED)
        self._count = 0

    def add(self, value: float) -> bool:
        """Count `value`; True when it is one of the highest, False as long as there are few to compare.

        What is as high as most of the numbers is not, however few are higher.
        """
        self._latest[self._count % _REMEMBERED] = value
        self._count += 1
        seen = self._latest[: self._count]
        higher, lower = np.count_nonzero(seen > value), np.count_nonzero(seen < value)
        stands_out = higher < self._share * len(seen) and lower > len(seen) / 2
        return stands_out and value > self._floor and len(seen) >= math.ceil(1 / self._share)


class Pace:
    """When to look at a frame, and when to keep one; times in seconds of any one clock."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._look_s = min(max(every_s / _LOOKS_PER_INTERVAL, _SHORTEST_LOOK_S), _LONGEST_LOOK_S)
        self._next_look = self._next_keep = -math.inf

    def may_look(self, now_s: float) -> bool:
        """True once in a while; looking costs a little, and frames side by side tell the same."""
        if now_s < self._next_look:
            return False
        self._next_look = now_s + self._look_s
        return True

    def may_keep(self, now_s: float) -> bool:
        """True when the last kept frame is long enough ago."""
        return now_s >= self._next_keep

    def kept(self, now_s: float) -> None:
        """Begin the wait for the next frame."""
        self._next_keep = now_s + self._every_s

    def kept_before(self, now_s: float) -> None:
        """Wait a tenth of that: the frame was a copy of a kept one, and so will be those that follow."""
        self._next_keep = now_s + self._every_s / _PATIENCE
