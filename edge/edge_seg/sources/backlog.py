"""Telling frames that piled up during a pause from those that are captured now."""

_LONGEST_HICCUP_S = 0.5
_HURRY = 0.6
_LONGEST_DRAIN_S = 5.0


class Backlog:
    """After a pause old frames arrive in a burst; once two in a row had to be waited for as usual they are new again.

    One alone may be a hiccup of the sender in the middle of its burst.
    A pause is a gap of over half a second and three usual intervals: a stalled network, a stopped process.
    """

    def __init__(self) -> None:
        self._previous_s: float | None = None
        self._usual_s = 0.0  # 0: not known yet
        self._draining_since_s: float | None = None
        self._unhurried = 0

    def holds(self, arrived_s: float) -> bool:
        """Return whether the frame that arrived at `arrived_s` (any monotonic clock) is an old one."""
        previous_s, self._previous_s = self._previous_s, arrived_s
        if previous_s is None:
            return False
        waited_s = arrived_s - previous_s
        if self._usual_s and waited_s > max(_LONGEST_HICCUP_S, 3 * self._usual_s):
            self._draining_since_s, self._unhurried = arrived_s, 0
        elif not self._still_drains(waited_s, arrived_s):
            self._draining_since_s = None
            self._usual_s = 0.9 * self._usual_s + 0.1 * waited_s if self._usual_s else waited_s
        return self._draining_since_s is not None

    def _still_drains(self, waited_s: float, arrived_s: float) -> bool:
        since_s = self._draining_since_s
        if since_s is None or arrived_s - since_s >= _LONGEST_DRAIN_S:
            return False
        self._unhurried = 0 if waited_s < _HURRY * self._usual_s else self._unhurried + 1
        return self._unhurried < 2
