"""The alerts of one run: the parts put together."""

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Self

from edge_seg.alerts.alarm import Alarm
from edge_seg.alerts.courier import Courier, LiveNotifier, close_couriers, receiver_outage
from edge_seg.alerts.dispatcher import Dispatcher
from edge_seg.alerts.event import AlertEvent, Origin
from edge_seg.alerts.folder import AlertFolder
from edge_seg.alerts.journal import Journal
from edge_seg.alerts.outage import Report
from edge_seg.alerts.outbox import DiskOutbox, put_into_all
from edge_seg.alerts.receivers import Receiver, open_receivers
from edge_seg.alerts.rule import check_rules
from edge_seg.alerts.settings import AlertSettings
from edge_seg.alerts.snapshots import Snapshots
from edge_seg.alerts.store import EventStore
from edge_seg.classes import SegmentationClass
from edge_seg.result import Result
from edge_seg.sinks.sink import Painter
from edge_seg.sources.frame import Source
from edge_seg.sources.media_time import frame_clock
from edge_seg.telemetry import Telemetry

Listener = Callable[[AlertEvent], None]
"""Told of every event at once, on the pipeline's thread: it must be quick."""


class Alerts:
    """Give `alarm.observe` to the pipeline, and close at its end; `alarm` knows what is raised."""

    def __init__(
        self,
        settings: AlertSettings,
        source: Source,
        classes: Sequence[SegmentationClass],
        paint: Painter,
        report: Report,
        telemetry: Telemetry,
        listeners: Sequence[Listener] = (),
        *,
        period_s: float = 0.0,
    ) -> None:
        """Open every way out.

        Args:
            settings: what to watch for and whom to tell.
            source: its name goes into the events; a video file's time is its own.
            classes: the model's.
            paint: draws the snapshots.
            report: told, in sentences, of what fails and recovers; from any thread.
            telemetry: of the same run; brokers are told what it says, and it is told of every event.
            listeners: told of every event at once.
            period_s: how far apart frames are looked at, where that is known; 0 where it is not.

        Raises:
            AlertError: a class the model has not, an address that is none, a folder that is in use.
            MissingExtraError: a broker, without the package that talks to it.
        """
        names = [item.name for item in classes]
        check_rules(settings.rules, names)
        receivers = open_receivers(settings, telemetry, report)
        self._folder = AlertFolder(settings.folder)
        self._store = EventStore(self._folder.outbox, report)
        _tell_of_the_lost(self._store, receivers, report)
        journal = Journal(self._folder.journal)
        receivers.insert(0, Receiver(journal, "journal", receiver_outage(journal.name, report)))
        self._outboxes = [
            DiskOutbox(self._store, receiver.destination, receiver.notifier.name, report) for receiver in receivers
        ]
        self._couriers = [
            _courier(receiver, outbox, report) for receiver, outbox in zip(receivers, self._outboxes, strict=True)
        ]
        snapshots = Snapshots(settings.folder, paint, settings.rules, settings.most_snapshots)
        self._dispatcher = Dispatcher(snapshots, self._put, report)
        brokers = [receiver.notifier for receiver in receivers if isinstance(receiver.notifier, LiveNotifier)]
        self._listeners: list[Listener] = [*(mqtt.note for mqtt in brokers), telemetry.alert, *listeners]
        origin = Origin(settings.device, source.name)
        self.alarm = Alarm(settings.rules, origin, self._on_event, clock=frame_clock(source), period_s=period_s)
        telemetry.watch_alerts([str(rule) for rule in settings.rules], lambda: self.waiting)

    @property
    def waiting(self) -> dict[str, int]:
        """How many events each receiver has not confirmed yet, by the receiver's name."""
        return {courier.name: courier.waiting for courier in self._couriers}

    def close(self, timeout_s: float = 0.7) -> None:
        """Deliver what waits for `timeout_s` at most; what was not delivered by then waits for the next start."""
        deadline_s = time.monotonic() + timeout_s
        self._dispatcher.close(timeout_s)
        if close_couriers(self._couriers, deadline_s - time.monotonic()):
            self._store.close()
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_event(self, event: AlertEvent, result: Result) -> None:
        for listener in self._listeners:
            listener(event)
        self._dispatcher.put(event, result)

    def _put(self, event: AlertEvent) -> None:
        put_into_all(self._outboxes, event)
        for courier in self._couriers:
            courier.notice()


def _courier(receiver: Receiver, outbox: DiskOutbox, report: Report) -> Courier:
    notifier = receiver.notifier
    courier = Courier(notifier, outbox, receiver.outage, report)
    if isinstance(notifier, LiveNotifier):
        notifier.start(on_connected=courier.wake)
    return courier


def _tell_of_the_lost(store: EventStore, receivers: Sequence[Receiver], report: Report) -> None:
    """Tell of what an earlier run left for a receiver that this one has not."""
    known = {"journal", *(receiver.destination for receiver in receivers)}
    try:
        lost = sum(count for destination, count in store.counts().items() if destination not in known)
    except sqlite3.Error:
        return  # the outboxes will tell, once there is something to store
    if lost:
        report(f"{store.path}: {lost} alerts wait for a receiver that is not given now; give it again, or remove them")
