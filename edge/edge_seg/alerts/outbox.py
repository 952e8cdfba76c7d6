"""What waits to be delivered to one receiver: on the disk, or in memory where that must do."""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.outage import Outage, Report
from edge_seg.alerts.store import EventStore

MOST_ON_DISK = 100_000
"""Events of one receiver, about 60 MB; one a minute makes that in ten weeks."""

SECOND_CHANCE_EVERY_S = 6 * 3600.0

MOST_IN_MEMORY = 20_000
"""Events of one receiver while the disk takes none, about 30 MB."""


class Outbox(Protocol):
    """Events in order. May be used from any thread."""

    def put(self, event: AlertEvent) -> None:
        """Add an event behind the others."""
        ...

    def first(self) -> AlertEvent | None:
        """Return the oldest event, which stays."""
        ...

    def remove(self, event: AlertEvent) -> None:
        """Forget an event that was delivered."""
        ...

    def set_aside(self, event: AlertEvent, reason: str) -> None:
        """Keep an event that the receiver refuses out of the way of the others."""
        ...

    def count(self) -> int:
        """Return how many events wait."""
        ...

    def unsaved(self) -> list[AlertEvent]:
        """Return the events that are nowhere but in memory."""
        ...


class MemoryOutbox:
    """For a receiver on this machine, which is to fail seldom."""

    def __init__(self, what: str, report: Report, most: int = MOST_IN_MEMORY) -> None:
        self._events: deque[AlertEvent] = deque()
        self._lock = threading.Lock()
        self._most = most
        self._full = Outage(what, "the oldest are dropped", report)

    def put(self, event: AlertEvent) -> None:
        """Add an event; of too many the oldest go, which is told."""
        with self._lock:
            self._events.append(event)
            if len(self._events) > self._most:
                self._events.popleft()
                self._full.failed(f"more than {self._most} alerts wait in memory")

    def first(self) -> AlertEvent | None:
        """Return the oldest event, which stays."""
        with self._lock:
            return self._events[0] if self._events else None

    def remove(self, event: AlertEvent) -> None:
        """Forget an event."""
        with self._lock:
            if event in self._events:
                self._events.remove(event)

    def set_aside(self, event: AlertEvent, reason: str) -> None:
        """Forget the event: there is no place for it."""
        self.remove(event)

    def count(self) -> int:
        """Return how many events wait."""
        return len(self._events)

    def unsaved(self) -> list[AlertEvent]:
        """Return all that wait."""
        with self._lock:
            return list(self._events)


class DiskOutbox:
    """Events in a store; in memory while the disk is full or fails, until it takes them again."""

    def __init__(self, store: EventStore, destination: str, what: str, report: Report, most: int = MOST_ON_DISK):
        self.store, self.destination, self._most = store, destination, most
        self._lock = threading.Lock()
        self._overflow = MemoryOutbox(what, report)
        self._delivered: set[str] = set()
        self._second_chance_s = time.monotonic()
        self._trouble = Outage(f"alerts for {what} cannot be stored", "they wait in memory", report)
        self._full = Outage(f"alerts for {what}", "the oldest are dropped", report)

    def put(self, event: AlertEvent) -> None:
        """Add an event; of too many the oldest go, which is told."""
        with self._lock:
            self._overflow.put(event)
            self._try_to_save()

    def first(self) -> AlertEvent | None:
        """Return the oldest event, which stays."""
        with self._lock:
            self._try_to_save()
            self._give_second_chance()
            return self._first_stored() or self._overflow.first()

    def remove(self, event: AlertEvent) -> None:
        """Forget an event; while the disk takes no change, at least until the process ends."""
        with self._lock:
            self._overflow.remove(event)
            self._delivered.add(event.id)
            self._try_to_save()

    def set_aside(self, event: AlertEvent, reason: str) -> None:
        """Keep an event on the disk; it is tried again after six hours, or with the next start."""
        with self._lock:
            self._overflow.remove(event)
            try:
                self.store.refuse(self.destination, event.id, reason)
            except sqlite3.Error:
                self._delivered.add(event.id)

    def count(self) -> int:
        """Return how many events wait, with those that were put aside."""
        stored = 0
        with suppress(sqlite3.Error):
            stored = self.store.counts().get(self.destination, 0)
        return stored + self._overflow.count() - len(self._delivered)

    def unsaved(self) -> list[AlertEvent]:
        """Return the events that are nowhere but in memory."""
        return self._overflow.unsaved()

    def keep_bound(self) -> None:
        """Drop the oldest events of too many; told once."""
        with suppress(sqlite3.Error):
            excess = self.store.counts().get(self.destination, 0) - self._most
            if excess > 0:
                self.store.drop_oldest(self.destination, excess)
                self._full.failed(f"more than {self._most} wait")

    def _give_second_chance(self) -> None:
        """Let what was refused wait again, now and then: what was wrong may have been the receiver."""
        if time.monotonic() < self._second_chance_s:
            return
        self._second_chance_s = time.monotonic() + SECOND_CHANCE_EVERY_S
        with suppress(sqlite3.Error):
            self.store.take_back_refused(self.destination)

    def _first_stored(self) -> AlertEvent | None:
        try:
            rows = self.store.oldest(self.destination, len(self._delivered) + 1)
        except sqlite3.Error as error:
            self._trouble.failed(_reason(error))
            return None
        return next((AlertEvent.from_json(text) for event_id, text in rows if event_id not in self._delivered), None)

    def _try_to_save(self) -> None:
        """Bring the disk up to date: forget what was delivered, store what waits in memory."""
        try:
            for event_id in tuple(self._delivered):
                self.store.remove(self.destination, event_id)
                self._delivered.discard(event_id)
            while (event := self._overflow.first()) is not None:
                self.store.add([self.destination], event.id, event.to_json())
                self._overflow.remove(event)
                self.keep_bound()
        except sqlite3.Error as error:
            self._trouble.failed(_reason(error))
        else:
            self._trouble.recovered()


def put_into_all(outboxes: Sequence[DiskOutbox], event: AlertEvent) -> None:
    """Add an event to all outboxes of one store, in one step: killed at any time, it is in all of them or in none.

    Where the disk does not take it, each outbox keeps it in memory. One thread alone may add.
    """
    if outboxes and not any(outbox.unsaved() for outbox in outboxes):
        try:
            outboxes[0].store.add([outbox.destination for outbox in outboxes], event.id, event.to_json())
        except sqlite3.Error:
            pass  # each outbox finds out for itself, and tells
        else:
            for outbox in outboxes:
                outbox.keep_bound()
            return
    for outbox in outboxes:
        outbox.put(event)


def _reason(error: sqlite3.Error) -> str:
    return "the disk is full" if "full" in str(error) else str(error)
