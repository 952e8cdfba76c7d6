"""Who listens to the whole fleet, with nothing of edge-seg's own: every event that arrives, and who is online.

Its session is kept by the broker (MQTT 3.1.1, clean session off, QoS 1; section 3.1.2.4 of the standard), so that
what comes while it is away waits for it. https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/
"""

import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from edge_seg.alerts.event import EventKind
from edge_seg.errors import BenchmarkError
from edge_seg_bench.fleet.broker import OPERATOR, Access, password_of
from edge_seg_bench.fleet.plan import PlannedEvent

ROOT = "edge-seg"
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Arrival:
    """One event that arrived, maybe not for the first time."""

    event_id: str
    event: PlannedEvent
    raised_at: float
    """Seconds since the epoch, when its picture was taken."""
    arrived_at: float


@dataclass(frozen=True)
class Presence:
    """A camera said, or was said, to be there or not."""

    camera: str
    online: bool
    at: float


class Receiver:
    """Takes down what arrives."""

    def __init__(self, broker: Access) -> None:
        """Subscribe.

        Raises:
            BenchmarkError: the broker does not answer.
        """
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.arrivals: list[Arrival] = []
        self.presences: list[Presence] = []
        self.sessions_lost = 0
        """How often the broker had forgotten the session."""
        self._subscribed, self._connections = threading.Event(), 0
        self._client: Any = Client(CallbackAPIVersion.VERSION2, client_id="receiver", clean_session=False)
        _log_in(self._client, broker)
        self._client.on_connect, self._client.on_message = self._on_connect, self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.reconnect_delay_set(min_delay=1, max_delay=1)
        self._client.connect("localhost", broker.port)
        self._client.loop_start()
        if not self._subscribed.wait(_PATIENCE_S):
            self.close()
            raise BenchmarkError(f"the broker on port {broker.port} lets nobody subscribe within {_PATIENCE_S:g} s")

    def online(self, since: float) -> set[str]:
        """Return the cameras that came online at or after a time, in seconds since the epoch."""
        return {item.camera for item in tuple(self.presences) if item.online and item.at >= since}

    def events(self) -> set[PlannedEvent]:
        """Return every event that arrived so far."""
        return {arrival.event for arrival in tuple(self.arrivals)}

    def close(self) -> None:
        """Listen no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Any, _data: object, flags: Any, *_: object) -> None:
        self._connections += 1
        if flags.session_present:
            self._subscribed.set()
        else:
            self.sessions_lost += self._connections > 1
            client.subscribe([(f"{ROOT}/+/events", 1), (f"{ROOT}/+/status", 1)])

    def _on_subscribe(self, *_: object) -> None:
        self._subscribed.set()

    def _on_message(self, _client: object, _data: object, message: Any) -> None:
        now = time.time()
        _, camera, what = message.topic.split("/")
        if what == "status" and not message.retain:
            self.presences.append(Presence(camera, message.payload == b"online", now))
        elif what == "events":
            self.arrivals.append(read_arrival(message.payload, now))


def read_arrival(payload: bytes, now: float) -> Arrival:
    """Read an event's record; see `edge_seg.alerts.event`."""
    record: dict[str, Any] = json.loads(payload)
    kind: EventKind = record["event"]
    event = PlannedEvent(record["device"], record["frame"], record["alert"], kind)
    return Arrival(record["id"], event, datetime.fromisoformat(record["time"]).timestamp(), now)


def read_retained(broker: Access) -> dict[str, str]:
    """Return the fleet's retained messages by topic, as somebody finds them who comes now.

    A message of one's own marks their end: a broker keeps the order of what it has for a client.

    Raises:
        BenchmarkError: the broker does not answer.
    """
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion

    found: dict[str, str] = {}
    fence, passed = f"{ROOT}/{OPERATOR}/fence", threading.Event()

    def take_down(_client: object, _data: object, message: Any) -> None:
        if message.topic == fence:
            passed.set()
        else:
            found[message.topic] = message.payload.decode()

    def subscribe(*_: object) -> None:
        client.subscribe(f"{ROOT}/#", qos=1)

    def mark_the_end(*_: object) -> None:
        client.publish(fence, b"", qos=1)

    client: Any = Client(CallbackAPIVersion.VERSION2)
    _log_in(client, broker)
    client.on_connect, client.on_subscribe, client.on_message = subscribe, mark_the_end, take_down
    client.connect("localhost", broker.port)
    client.loop_start()
    in_time = passed.wait(_PATIENCE_S)
    client.disconnect()
    client.loop_stop()
    if not in_time:
        raise BenchmarkError(f"the broker on port {broker.port} gives no retained messages within {_PATIENCE_S:g} s")
    return found


def _log_in(client: Any, broker: Access) -> None:
    client.username_pw_set(OPERATOR, password_of(OPERATOR))
    client.tls_set_context(broker.tls())
