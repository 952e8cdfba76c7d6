"""Alerts, class shares and temperature on an MQTT broker; the topics are those of `edge_seg.alerts.topics`."""

import threading
from collections.abc import Callable

from edge_seg.alerts.broker import Broker
from edge_seg.alerts.broker_connection import BrokerConnection
from edge_seg.alerts.courier import Unreachable
from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.outage import Outage
from edge_seg.alerts.topics import OFFLINE, ONLINE, Topics
from edge_seg.machine import temperature_c
from edge_seg.result import Result

_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_TELEMETRY_EVERY_S = 10.0
_GOODBYE_S = 0.5


class MqttNotifier:
    """Keeps a connection to a broker, on a thread of its own; connects anew whenever it is lost."""

    def __init__(
        self, broker: Broker, topics: Topics, outage: Outage, *, telemetry_every_s: float = _TELEMETRY_EVERY_S
    ) -> None:
        """Prepare; `start` connects.

        Args:
            broker: where to.
            topics: where what goes.
            outage: told when the broker comes and goes.
            telemetry_every_s: class shares and temperature are published so often.
        """
        self.name = f"MQTT broker {broker.name}"
        self.on_connected: Callable[[], None] = _nothing
        """Called whenever a connection is there, to deliver what waits."""
        self._broker, self._topics, self._outage = broker, topics, outage
        self._telemetry_every_s = telemetry_every_s
        self._connection: BrokerConnection | None = None
        self._last_events: dict[str, AlertEvent] = {}
        self._latest: Result | None = None
        self._tried, self._closing, self._stirred = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def note(self, event: AlertEvent) -> None:
        """Take note of how an alert stands, before the event itself is delivered."""
        self._last_events[event.alert] = event

    def observe(self, result: Result) -> None:
        """Take note of what is seen, for the next telemetry."""
        self._latest = result

    def deliver(self, event: AlertEvent) -> None:
        """Publish one event, and how its alert stands now."""
        self._tried.wait()
        connection = self._connection
        if connection is None:
            raise Unreachable(self._outage.reason or "the connection was lost")
        connection.publish(self._topics.events, event.to_json(), retain=False)
        if event.alert in self._topics.alerts:
            if self._last_events.get(event.alert, event).id == event.id:
                self._last_events[event.alert] = event  # it has its snapshot by now
            self._publish_states(connection, event.alert)

    def close(self) -> None:
        """Publish "offline" and disconnect."""
        self._closing.set()
        self._tried.set()
        self._stirred.set()
        if self._thread.is_alive():
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
            self._closing.wait(delay_s)
            delay_s = min(delay_s * 2, _LONGEST_DELAY_S)

    def _live(self) -> None:
        """Connect and stay connected, until the connection is lost or the notifier closed."""
        self._stirred.clear()
        connection = BrokerConnection(
            self._broker, will_topic=self._topics.status, will=OFFLINE, on_lost=self._stirred.set
        )
        try:
            self._introduce(connection)
            self._connection = connection
            self._outage.recovered()
            self._tried.set()
            self.on_connected()
            while connection.alive and not self._closing.is_set():
                self._publish_telemetry(connection)
                self._stirred.wait(self._telemetry_every_s)
            if connection.alive:
                connection.publish(self._topics.status, OFFLINE, retain=True, timeout_s=_GOODBYE_S)
        finally:
            self._connection = None
            connection.close()

    def _introduce(self, connection: BrokerConnection) -> None:
        announcements = self._topics.announcements()
        for topic, message in announcements.items():
            connection.publish(topic, message, retain=True)
        self._publish_states(connection, *self._topics.alerts)
        connection.clear_retained(self._topics.retained_patterns, {*announcements, *self._topics.alerts.values()})
        connection.publish(self._topics.status, ONLINE, retain=True)

    def _publish_states(self, connection: BrokerConnection, *titles: str) -> None:
        rules = {rule.title: rule for rule in self._topics.rules}
        for title in titles:
            message = self._topics.state(rules[title], self._last_events.get(title))
            connection.publish(self._topics.alerts[title], message, retain=True)

    def _publish_telemetry(self, connection: BrokerConnection) -> None:
        result, self._latest = self._latest, None
        if result is not None:
            shares = result.segmentation.area_share
            message = self._topics.telemetry_message(shares, result.fps, temperature_c())
            connection.publish_unconfirmed(self._topics.telemetry, message)


def _nothing() -> None:
    """Do nothing."""
