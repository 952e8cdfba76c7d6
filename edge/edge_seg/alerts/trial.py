"""Trying every receiver with one event, without a camera."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from edge_seg.alerts.broker import Broker
from edge_seg.alerts.command import Command
from edge_seg.alerts.courier import Notifier, Refused, Unreachable
from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.receivers import broker_of, webhook_of
from edge_seg.alerts.settings import AlertSettings


@dataclass(frozen=True)
class Trial:
    """How one receiver took the event."""

    receiver: str
    seconds: float
    fault: str | None
    """Why it did not; None when it did."""


def try_receivers(settings: AlertSettings, event: AlertEvent) -> Iterator[Trial]:
    """Give the event to each receiver once; nothing is stored, nothing is tried again.

    Raises:
        AlertError: an address that is none.
        MissingExtraError: a broker, without the package that talks to it.
    """
    for notifier in _notifiers(settings):
        started = time.monotonic()
        fault = _fault(notifier, event)
        yield Trial(notifier.name, time.monotonic() - started, fault)


def _notifiers(settings: AlertSettings) -> list[Notifier]:
    return [
        *(_one_message(broker_of(uri, settings)) for uri in settings.mqtt),
        *(webhook_of(url, settings) for url in settings.webhooks),
        *(Command(line, settings.folder) for line in settings.commands),
    ]


def _one_message(broker: Broker) -> Notifier:
    from edge_seg.alerts.mqtt import OneMessage

    return OneMessage(broker)


def _fault(notifier: Notifier, event: AlertEvent) -> str | None:
    try:
        notifier.deliver(event)
    except (Unreachable, Refused) as failure:
        return str(failure)
    finally:
        notifier.close()
    return None
