"""One connection to an MQTT broker, from its beginning to its end."""

import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_seg.alerts.broker import Broker
from edge_seg.alerts.courier import Unreachable
from edge_seg.alerts.network import why

_KEEPALIVE_S = 20
_CONNECT_TIMEOUT_S = 5.0
_CONFIRM_TIMEOUT_S = 10.0
_GOODBYE_S = 0.3
_UNSUPPORTED_PROTOCOL_VERSION = 0x84  # MQTT 5.0, table 3-1
_BAD_USER_OR_PASSWORD, _NOT_AUTHORIZED = 0x86, 0x87
_ENCRYPTED_PORT = 8883


class Forbidden(Unreachable):
    """The broker took a message and drops it, for its user may not write there."""


class Outdated(Unreachable):
    """The broker speaks an older MQTT."""


class BrokerConnection:
    """Publishes until it is lost; never reconnects. May be used from any thread.

    One that was lost takes what was not confirmed with it, so nothing is sent twice behind the
    caller's back.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        protocol: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
        will: tuple[str, str] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        """Connect.

        Args:
            broker: where to.
            protocol: before MQTT 5 a broker cannot say that a message is forbidden.
            will: topic and message that the broker publishes, retained, when this end dies.
            on_lost: called when the connection is lost, on a thread of the connection's own.

        Raises:
            Outdated: the broker does not know this protocol.
            Unreachable: no connection.
        """
        self._on_lost = on_lost
        self._answered, self._lost = threading.Event(), threading.Event()
        self._user, self._refusal, self._outdated = broker.user, _silence(broker), False
        self._forbidden: dict[int, str] = {}
        self._client = self._make_client(broker, protocol)
        self._client.on_publish = self._on_publish
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        try:
            self._client.connect(broker.host, broker.port, _KEEPALIVE_S)
        except ConnectionRefusedError as error:
            raise Unreachable(f"{why(error)} at port {broker.port}") from None
        except (OSError, ValueError) as error:
            raise Unreachable(why(error)) from None
        self._client.loop_start()
        if not self._answered.wait(_CONNECT_TIMEOUT_S) or self._refusal:
            self._end()
            raise (Outdated if self._outdated else Unreachable)(self._refusal)

    @property
    def alive(self) -> bool:
        """Whether it is not lost, as far as is known."""
        return not self._lost.is_set()

    def publish(self, topic: str, payload: str, *, retain: bool, timeout_s: float = _CONFIRM_TIMEOUT_S) -> None:
        """Publish with QoS 1; when it returns, the broker has it.

        Raises:
            Forbidden: the broker says that its user may not write there.
            Unreachable: it was not confirmed.
        """
        message = self._client.publish(topic, payload.encode(), qos=1, retain=retain)
        deadline_s = time.monotonic() + timeout_s
        while not _confirmed(message):
            if not self.alive:
                raise Unreachable("the connection was lost")
            if time.monotonic() > deadline_s:
                raise Unreachable("did not confirm in time")
        if reason := self._forbidden.pop(message.mid, None):
            raise Forbidden(f"does not let its user write {topic} ({reason})")

    def publish_unconfirmed(self, topic: str, payload: str) -> None:
        """Publish with QoS 0, retained."""
        self._client.publish(topic, payload.encode(), retain=True)

    def listen(self, topic: str, heard: Callable[[str], None]) -> None:
        """Call `heard` with every message that comes on a topic from now on, on a thread of the connection's own.

        A broker that forbids it keeps silent.
        """

        def on_message(_client: Client, _: object, message: MQTTMessage) -> None:
            if not message.retain:
                heard(message.payload.decode(errors="replace"))

        self._client.message_callback_add(topic, on_message)
        self._client.subscribe(topic, qos=1)

    def clear_retained(self, patterns: list[str], keep: set[str]) -> None:
        """Clear the retained messages on topics of `patterns`, except those in `keep`."""

        def on_message(client: Client, _: object, message: MQTTMessage) -> None:
            if message.retain and message.payload and message.topic not in keep:
                client.publish(message.topic, b"", qos=1, retain=True)

        self._client.on_message = on_message
        for pattern in patterns:
            self._client.subscribe(pattern, qos=1)

    def close(self) -> None:
        """Say goodbye, so that the will is not published."""
        self._client.disconnect()
        self._lost.wait(_GOODBYE_S)
        self._end()

    def _make_client(self, broker: Broker, protocol: MQTTProtocolVersion) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"edge-seg-{uuid.uuid4().hex[:12]}",
            protocol=protocol,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.on_socket_open = _send_at_once
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        if broker.tls is not None:
            client.tls_set_context(broker.tls)  # pyright: ignore[reportUnknownMemberType]
        return client

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._refusal = _refusal(reason, self._user) if reason.is_failure else ""
        self._outdated = reason.value == _UNSUPPORTED_PROTOCOL_VERSION
        self._answered.set()

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        _reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._lost.set()
        self._answered.set()
        if self._on_lost is not None:
            self._on_lost()

    def _on_publish(
        self, _client: Client, _data: object, number: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        """Take note of what becomes of a message, before it counts as confirmed."""
        if reason.is_failure:
            self._forbidden[number] = str(reason)
        else:
            self._forbidden.pop(number, None)  # of another message that had the number before

    def _end(self) -> None:
        """Let the client's thread end; one that hangs in the network is left to itself."""
        if self._lost.is_set():
            self._client.loop_stop()


def _confirmed(message: MQTTMessageInfo) -> bool:
    try:
        message.wait_for_publish(0.2)
        return message.is_published()
    except (RuntimeError, ValueError):
        raise Unreachable("the connection was lost") from None


def _silence(broker: Broker) -> str:
    wrong_scheme = broker.tls is None and broker.port == _ENCRYPTED_PORT
    return "does not answer in time" + (f": port {_ENCRYPTED_PORT} mostly speaks mqtts://" if wrong_scheme else "")


def _refusal(reason: ReasonCode, user: str | None) -> str:
    sentence = f"refuses the connection ({reason})"
    if reason.value not in (_BAD_USER_OR_PASSWORD, _NOT_AUTHORIZED):
        return sentence
    cure = "name a user, as in mqtts://USER@host, and set" if user is None else f"check the user '{user}' and"
    return f"{sentence}: {cure} EDGE_SEG_MQTT_PASSWORD"


def _send_at_once(_client: Client, _data: object, opened: Any) -> None:
    """Let no event wait behind telemetry, which the broker does not answer: 40 ms by Nagle's algorithm (tcp(7))."""
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def connect(
    broker: Broker, *, will: tuple[str, str] | None = None, on_lost: Callable[[], None] | None = None
) -> BrokerConnection:
    """Connect by MQTT 5, or by MQTT 3.1.1 to a broker that does not speak it.

    Raises:
        Unreachable: no connection.
    """
    try:
        return BrokerConnection(broker, will=will, on_lost=on_lost)
    except Outdated:
        return BrokerConnection(broker, protocol=MQTTProtocolVersion.MQTTv311, will=will, on_lost=on_lost)
