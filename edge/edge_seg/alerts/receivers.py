"""The receivers that settings name, each with the key of its part of the outbox."""

import hashlib
from dataclasses import dataclass

from edge_seg import machine
from edge_seg.alerts.broker import Broker, parse_broker
from edge_seg.alerts.command import Command
from edge_seg.alerts.courier import Notifier, receiver_outage
from edge_seg.alerts.outage import Outage, Report
from edge_seg.alerts.settings import AlertSettings
from edge_seg.alerts.topics import Topics
from edge_seg.alerts.webhook import Webhook
from edge_seg.errors import AlertError
from edge_seg.extras import require_extra
from edge_seg.telemetry import Telemetry


@dataclass(frozen=True)
class Receiver:
    """Somebody to tell of alerts."""

    notifier: Notifier
    destination: str
    """Marks its events in the outbox, over restarts; a hash, for the address may hold secrets."""
    outage: Outage


def open_receivers(settings: AlertSettings, telemetry: Telemetry, report: Report) -> list[Receiver]:
    """Open all that settings name, brokers first; nothing is connected yet.

    Raises:
        AlertError: an address that is none, or named twice.
        MissingExtraError: a broker, without the package that talks to it.
    """
    receivers = [_broker(uri, settings, telemetry, report) for uri in settings.mqtt]
    receivers += [_receiver(webhook_of(url, settings), url, report) for url in settings.webhooks]
    receivers += [_receiver(Command(line, settings.folder), line, report) for line in settings.commands]
    destinations = [receiver.destination for receiver in receivers]
    for receiver in receivers:
        if destinations.count(receiver.destination) > 1:
            raise AlertError(f"{receiver.notifier.name}: is given twice; give it once")
    return receivers


def _broker(uri: str, settings: AlertSettings, telemetry: Telemetry, report: Report) -> Receiver:
    broker = broker_of(uri, settings)
    topics = Topics(
        base=broker.base,
        discovery=broker.discovery,
        device=settings.device,
        model=machine.board_model() or machine.cpu_model(),
        rules=settings.rules,
        classes=telemetry.class_names,
        with_temperature=telemetry.state().board.temperature_c is not None,
    )
    from edge_seg.alerts.mqtt import MqttNotifier

    outage = receiver_outage(f"MQTT broker {broker.name}", report)
    cure = "it will not find this camera; give the user the right to, or ?discovery=off"
    discovery_outage = Outage(f"MQTT broker {broker.name}: Home Assistant", cure, report)
    notifier = MqttNotifier(broker, topics, outage, discovery_outage, telemetry, report)
    return Receiver(notifier, _key(f"{broker.host}:{broker.port}/{broker.base}"), outage)


def broker_of(uri: str, settings: AlertSettings) -> Broker:
    """Read a broker's address with what the settings say of password and certificates.

    Raises:
        AlertError: it is none.
        MissingExtraError: the package that talks to it is not installed.
    """
    require_extra("mqtt", purpose="--mqtt")
    return parse_broker(
        uri,
        settings.device,
        password=settings.mqtt_password,
        ca_file=settings.ca_file,
        plaintext=settings.plaintext,
    )


def webhook_of(url: str, settings: AlertSettings) -> Webhook:
    """Read a webhook's address with what the settings say of token and certificates.

    Raises:
        AlertError: it is none.
    """
    return Webhook(
        url,
        settings.folder,
        token=settings.webhook_token,
        pictures=settings.webhook_pictures,
        ca_file=settings.ca_file,
        plaintext=settings.plaintext,
    )


def _receiver(notifier: Webhook | Command, address: str, report: Report) -> Receiver:
    return Receiver(notifier, _key(address), receiver_outage(notifier.name, report))


def _key(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]
