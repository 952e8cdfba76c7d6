"""Carrying the events of one outbox to one receiver, however often that takes."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.outage import Outage, Report
from edge_seg.alerts.outbox import Outbox

_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 60.0
_LAST_MOMENT_S = 0.2


class Unreachable(Exception):  # noqa: N818 - a state of the receiver, not an error of ours
    """The receiver has not confirmed an event, and may later; the message says why."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Refused(Exception):  # noqa: N818
    """The receiver will never take this event; the message says why."""


class Notifier(Protocol):
    """A receiver of alerts. `deliver` belongs to one thread and may take its time."""

    @property
    def name(self) -> str:
        """What messages call it; holds no secret."""
        ...

    def deliver(self, event: AlertEvent) -> None:
        """Deliver one event; when it returns, the receiver has it.

        Raises:
            Unreachable: to be tried again.
            Refused: not to be tried again.
        """
        ...

    def close(self) -> None:
        """End what `deliver` is doing, from another thread, and let go of the receiver."""
        ...


@runtime_checkable
class LiveNotifier(Notifier, Protocol):
    """A receiver that keeps a connection and is told more than alerts."""

    def start(self, on_connected: Callable[[], None]) -> None:
        """Begin to connect, again and again; call `on_connected` whenever that succeeds."""
        ...

    def note(self, event: AlertEvent) -> None:
        """Take note of how an alert stands, before the event itself is delivered; quick."""
        ...


class Courier:
    """One receiver's thread: the oldest event first, the next one when it was confirmed.

    Fails the receiver, the courier waits one second, then two, up to a minute; `wake` ends the wait.
    """

    def __init__(
        self,
        notifier: Notifier,
        outbox: Outbox,
        outage: Outage,
        report: Report,
        *,
        first_delay_s: float = _FIRST_DELAY_S,
    ) -> None:
        """Start the thread.

        Args:
            notifier: closed with the courier.
            outbox: what waits in it from before is delivered first.
            outage: told when the receiver fails and when it works again.
            report: told of refusals.
            first_delay_s: before the second try.
        """
        self._notifier, self._outbox, self._report = notifier, outbox, report
        self._first_delay_s = first_delay_s
        self._outage = outage
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"alerts to {notifier.name}", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The receiver's name."""
        return self._notifier.name

    @property
    def waiting(self) -> int:
        """How many events the receiver has not confirmed yet."""
        return self._outbox.count()

    def put(self, event: AlertEvent) -> None:
        """Take an event to be delivered."""
        self._outbox.put(event)
        self.notice()

    def notice(self) -> None:
        """Look into the outbox, unless the receiver is to be left alone for a while."""
        if self._outage.reason is None:
            self._wake.set()

    def wake(self) -> None:
        """Try at once: the receiver seems to be back."""
        self._wake.set()

    def finish(self) -> None:
        """Deliver what waits as long as that succeeds, then end."""
        self._closing.set()
        self._wake.set()

    def join(self, deadline_s: float) -> None:
        """Wait for the end, until `deadline_s` of time.monotonic()."""
        self._thread.join(max(deadline_s - time.monotonic(), 0.0))

    def close(self) -> None:
        """End what is under way; what was not delivered stays in the outbox.

        What an outbox has in memory alone is told, so that it is in the log at least.
        """
        self.finish()
        self._notifier.close()
        self.join(time.monotonic() + _LAST_MOMENT_S)
        for event in self._outbox.unsaved():
            self._report(f"{self._notifier.name}: not delivered and not stored: {event.to_json()}")

    @property
    def ended(self) -> bool:
        """Whether the thread has ended; one that still waits for its receiver ends with the process."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        delay_s = self._first_delay_s
        while True:
            event = self._outbox.first()
            if event is None:
                if self._closing.is_set():
                    return
                self._pause(None)
                continue
            wait_s = self._try(event)
            if wait_s is None:
                delay_s = self._first_delay_s
                continue
            if self._closing.is_set():
                return
            self._pause(wait_s or delay_s)
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    def _try(self, event: AlertEvent) -> float | None:
        """Deliver one event; return None when it is dealt with, else the seconds the receiver asks for, or 0."""
        try:
            self._notifier.deliver(event)
        except Unreachable as failure:
            self._outage.failed(str(failure))
            return failure.retry_after_s or 0.0
        except Refused as refusal:
            self._outbox.set_aside(event, str(refusal))
            self._report(f"{self._notifier.name}: {refusal}; the alert '{event.alert}' is put aside")
            return None
        self._outbox.remove(event)
        self._outage.recovered()
        return None

    def _pause(self, seconds: float | None) -> None:
        self._wake.wait(seconds)
        if not self._closing.is_set():
            self._wake.clear()


def receiver_outage(name: str, report: Report) -> Outage:
    """Return what tells that a receiver fails."""
    return Outage(name, "alerts wait until it works again", report)


def close_couriers(couriers: Sequence[Courier], timeout_s: float) -> bool:
    """Give the couriers `timeout_s` together to deliver what waits, then close them; return whether all have ended."""
    deadline_s = time.monotonic() + timeout_s
    for courier in couriers:
        courier.finish()
    for courier in couriers:
        courier.join(deadline_s)
    for courier in couriers:
        courier.close()
    return all(courier.ended for courier in couriers)
