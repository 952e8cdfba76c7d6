"""Off the pipeline's thread: an event gets its snapshot before anybody is told."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.outage import Outage, Report
from edge_seg.alerts.snapshots import Snapshots
from edge_seg.result import Result

_MOST_PICTURES = 8  # that wait to be written; an event beyond them goes without a snapshot


class Dispatcher:
    """Takes events without making the caller wait; a thread of its own does the rest."""

    def __init__(self, snapshots: Snapshots, put: Callable[[AlertEvent], None], report: Report) -> None:
        """Start the thread.

        Args:
            snapshots: takes the pictures.
            put: takes each event, with its snapshot, in order.
            report: told when snapshots cannot be written.
        """
        self._snapshots, self._put = snapshots, put
        self._pictures = Outage("snapshots of alerts", "alerts go without them", report)
        self._waiting: deque[tuple[AlertEvent, Result | None]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._thread.start()

    def put(self, event: AlertEvent, result: Result) -> None:
        """Take an event and the result it comes from."""
        with self._changed:
            crowded = len(self._waiting) >= _MOST_PICTURES
            self._waiting.append((event, None if crowded else result))
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Hand on what waits, for `timeout_s` at most."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                event, result = self._waiting.popleft()
            self._put(self._with_snapshot(event, result))

    def _with_snapshot(self, event: AlertEvent, result: Result | None) -> AlertEvent:
        if result is None:
            return event
        try:
            path = self._snapshots.write(event, result)
        except OSError as error:
            self._pictures.failed(f"cannot be written ({error.strerror})")
            return event
        self._pictures.recovered()
        return replace(event, snapshot=path)
