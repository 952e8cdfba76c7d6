"""Telling of a trouble once when it begins and once when it is over."""

import threading
from collections.abc import Callable

Report = Callable[[str], None]
"""Takes one sentence for the user."""


class Outage:
    """One thing that may fail for a while. May be used from any thread."""

    def __init__(self, what: str, consequence: str, report: Report) -> None:
        self._what, self._consequence, self._report = what, consequence, report
        self._lock = threading.Lock()
        self._reason: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it fails now; None when it does not."""
        return self._reason

    def failed(self, reason: str) -> None:
        """Take note of a failure; the first one is told."""
        with self._lock:
            is_new, self._reason = self._reason is None, reason
        if is_new:
            self._report(f"{self._what}: {reason}; {self._consequence}")

    def recovered(self) -> None:
        """Take note that it works; told when it did not before."""
        with self._lock:
            was, self._reason = self._reason, None
        if was is not None:
            self._report(f"{self._what}: works again")
