"""When an alert is raised and cleared: a state machine per rule, without clocks or I/O.

    idle ──holds──▶ pending ──held for `for_s`──▶ active ──back beyond the hysteresis──▶ cooldown ──▶ idle

Only time in which something was seen counts towards `for_s`: each gap between two frames counts as
`longest_gap_s` at most, so that a source that stalls or reconnects raises nothing by its absence. An
active alert stays active through a gap, and the cooldown runs on. A condition that begins to hold
during the cooldown counts, and raises when the cooldown is over.
"""

from typing import Literal

from edge_seg.alerts.rule import Rule

LONGEST_GAP_S = 2.0

Change = Literal["raised", "cleared"]
State = Literal["idle", "pending", "active", "cooldown"]


class Watch:
    """One rule and how it stands."""

    def __init__(self, rule: Rule, *, longest_gap_s: float = LONGEST_GAP_S) -> None:
        self.rule = rule
        self._longest_gap_s = longest_gap_s
        self._active = False
        self._held_s: float | None = None
        self._seen_at_s: float | None = None
        self._quiet_until_s: float | None = None

    @property
    def state(self) -> State:
        """How the rule stands after the last observation."""
        if self._active:
            return "active"
        if self._quiet_until_s is not None:
            return "cooldown"
        return "idle" if self._held_s is None else "pending"

    def observe(self, time_s: float, share: float) -> Change | None:
        """Take in one share, 0 to 1, and the time of its frame on a clock that nobody sets."""
        gap_s = self._gap(time_s)
        if self._quiet_until_s is not None and time_s >= self._quiet_until_s:
            self._quiet_until_s = None
        if self._active:
            return self._clear(time_s) if self.rule.is_over(share) else None
        if not self.rule.holds(share):
            self._held_s = None
            return None
        self._held_s = 0.0 if self._held_s is None else self._held_s + gap_s
        return self._raise() if self._held_s >= self.rule.for_s and self._quiet_until_s is None else None

    def _gap(self, time_s: float) -> float:
        gap_s = 0.0 if self._seen_at_s is None else time_s - self._seen_at_s
        self._seen_at_s = time_s
        return min(max(gap_s, 0.0), self._longest_gap_s)

    def _raise(self) -> Change:
        self._active = True
        return "raised"

    def _clear(self, time_s: float) -> Change:
        self._active, self._held_s = False, None
        self._quiet_until_s = time_s + self.rule.cooldown_s if self.rule.cooldown_s else None
        return "cleared"
