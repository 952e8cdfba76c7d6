"""Alerts, and how the camera does, on an MQTT broker; the topics are those of `edge_seg.alerts.topics`."""

import random
import threading
import time
from collections.abc import Callable, Mapping

from edge_seg.alerts.broker import Broker
from edge_seg.alerts.broker_connection import BrokerConnection, Forbidden, connect
from edge_seg.alerts.courier import Unreachable
from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.outage import Outage, Report
from edge_seg.alerts.topics import OFFLINE, ONLINE, Topics, events_topic
from edge_seg.telemetry import Telemetry

_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_TELEMETRY_EVERY_S = 10.0
_TELEMETRY_GATHERS_S = 0.2  # what happens together is told together
_GOODBYE_S = 0.3
_OLD_WILL_S = 45.0
"""For so long the will of an earlier connection may come: a broker waits for 1.5 times the keepalive of 20 s."""


class MqttNotifier:
    """Keeps a connection to a broker, on a thread of its own; connects anew whenever it is lost."""

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        outage: Outage,
        discovery_outage: Outage,
        telemetry: Telemetry,
        report: Report,
        *,
        telemetry_every_s: float = _TELEMETRY_EVERY_S,
        old_will_s: float = _OLD_WILL_S,
    ) -> None:
        """Prepare; `start` connects.

        Args:
            broker: where to.
            topics: where what goes.
            outage: told when the broker comes and goes.
            discovery_outage: told when the broker takes nothing for Home Assistant, which alerts do not need.
            telemetry: how the camera does; it is published when something happened that cannot wait,
            report: told once when another camera writes to the same topics.
            telemetry_every_s: so often telemetry is published, too.
            old_will_s: so long after it has connected, an "offline" may be this camera's own of before.
        """
        self.name = f"MQTT broker {broker.name}"
        self._on_connected: Callable[[], None] | None = None
        self._broker, self._topics = broker, topics
        self._outage, self._discovery_outage = outage, discovery_outage
        self._telemetry, self._telemetry_every_s = telemetry, telemetry_every_s
        self._report, self._old_will_s = report, old_will_s
        self._contradicted, self._namesake_told = threading.Event(), False
        self._connection: BrokerConnection | None = None
        self._last_events: dict[str, AlertEvent] = {}
        self._tried, self._closing, self._stirred = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self, on_connected: Callable[[], None]) -> None:
        """Begin to connect, again and again; call `on_connected` whenever that succeeds."""
        self._on_connected = on_connected
        self._telemetry.listen(self._stirred.set)
        self._thread.start()

    def note(self, event: AlertEvent) -> None:
        """Take note of how an alert stands, before the event itself is delivered."""
        self._last_events[event.alert] = event

    def deliver(self, event: AlertEvent) -> None:
        """Publish one event, and how its alert stands now."""
        self._tried.wait()
        connection = self._connection
        if connection is None:
            raise Unreachable(self._outage.reason or "the connection was lost")
        connection.publish(self._topics.events, event.to_json(), retain=False)
        if event.alert in self._topics.alerts:
            last = self._last_events.get(event.alert)
            if last is not None and last.id == event.id:
                self._last_events[event.alert] = event  # it has its snapshot by now
            self._publish_states(connection, event.alert)

    def close(self) -> None:
        """Publish "offline" and disconnect."""
        self._closing.set()
        self._tried.set()
        self._stirred.set()
        if self._thread.is_alive() and self._connection is not None:
            self._thread.join(2 * _GOODBYE_S)

    def _run(self) -> None:
        delay_s = _FIRST_DELAY_S
        while not self._closing.is_set():
            try:
                self._live()
                delay_s = _FIRST_DELAY_S
            except Unreachable as failure:
                self._outage.failed(str(failure))
            self._tried.set()
            self._closing.wait(delay_s * random.uniform(0.75, 1.25))  # a fleet must not return in one instant
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    def _live(self) -> None:
        """Connect and stay connected, until the connection is lost or the notifier closed."""
        self._stirred.clear()
        self._contradicted.clear()
        connection = connect(self._broker, will=(self._topics.status, OFFLINE), on_lost=self._stirred.set)
        try:
            self._introduce(connection)
            connected_s = time.monotonic()
            self._connection = connection
            self._outage.recovered()
            self._tried.set()
            if self._on_connected is not None:
                self._on_connected()
            while connection.alive and not self._closing.is_set():
                self._publish_telemetry(connection)
                if self._stirred.wait(self._telemetry_every_s):
                    self._closing.wait(_TELEMETRY_GATHERS_S)
                self._stirred.clear()
                if self._contradicted.is_set():
                    self._insist(connection, time.monotonic() - connected_s)
            if connection.alive:
                self._publish_telemetry(connection)
                connection.publish(self._topics.status, OFFLINE, retain=True, timeout_s=_GOODBYE_S)
        finally:
            self._connection = None
            connection.close()

    def _introduce(self, connection: BrokerConnection) -> None:
        announcements = self._topics.announcements()
        self._announce(connection, announcements)
        self._publish_states(connection, *self._topics.alerts)
        connection.clear_retained(self._topics.retained_patterns, {*announcements, *self._topics.alerts.values()})
        connection.listen(self._topics.status, self._hear)
        connection.publish(self._topics.status, ONLINE, retain=True)

    def _hear(self, status: str) -> None:
        """Take note of an "offline", which this connection says only when it is closing."""
        if status == OFFLINE and not self._closing.is_set():
            self._contradicted.set()
            self._stirred.set()

    def _insist(self, connection: BrokerConnection, connected_for_s: float) -> None:
        """Say again that the camera is there: somebody has said that it is not."""
        self._contradicted.clear()
        if connection.alive and not self._closing.is_set():
            connection.publish(self._topics.status, ONLINE, retain=True)
        if connected_for_s > self._old_will_s and not self._namesake_told:
            self._namesake_told = True
            self._report(
                f"{self.name}: another camera uses {self._topics.base}, too; give each its own name with --device-name"
            )

    def _announce(self, connection: BrokerConnection, announcements: Mapping[str, str]) -> None:
        try:
            for topic, message in announcements.items():
                connection.publish(topic, message, retain=True)
        except Forbidden as failure:
            self._discovery_outage.failed(str(failure))
        else:
            self._discovery_outage.recovered()

    def _publish_states(self, connection: BrokerConnection, *titles: str) -> None:
        rules = {rule.title: rule for rule in self._topics.rules}
        for title in titles:
            message = self._topics.state(rules[title], self._last_events.get(title))
            connection.publish(self._topics.alerts[title], message, retain=True)

    def _publish_telemetry(self, connection: BrokerConnection) -> None:
        message = self._topics.telemetry_message(self._telemetry.state())
        connection.publish_unconfirmed(self._topics.telemetry, message)


class OneMessage:
    """Publishes events without a lasting connection, and nothing but events: for a trial."""

    def __init__(self, broker: Broker) -> None:
        self.name = f"MQTT broker {broker.name}"
        self._broker = broker

    def deliver(self, event: AlertEvent) -> None:
        """Connect, publish one event, disconnect."""
        connection = connect(self._broker)
        try:
            connection.publish(events_topic(self._broker.base), event.to_json(), retain=False)
        finally:
            connection.close()

    def close(self) -> None:
        """Do nothing: no connection is kept."""
