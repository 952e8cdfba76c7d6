"""Alerts on a real broker: what is published, and what becomes of it when the broker dies."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alert_fixtures import (
    Mosquitto,
    event,
    free_port,
    mosquitto,
    older_broker,
    self_signed,
    subscriber,
    wait_until,
)
from device_fixtures import frame, result
from edge_seg import __version__
from edge_seg.alerts import AlertEvent, Rule, parse_rules
from edge_seg.alerts.broker import Broker, parse_broker
from edge_seg.alerts.broker_connection import BrokerConnection, _silence
from edge_seg.alerts.courier import Courier, Unreachable, close_couriers, receiver_outage
from edge_seg.alerts.event import rule_fields
from edge_seg.alerts.mqtt import MqttNotifier, OneMessage
from edge_seg.alerts.outage import Outage
from edge_seg.alerts.outbox import DiskOutbox
from edge_seg.alerts.store import EventStore
from edge_seg.alerts.topics import Topics
from edge_seg.errors import AlertError
from edge_seg.model_identity import ModelIdentity
from edge_seg.telemetry import Board, Telemetry

RULES = parse_rules(["red > 40%", "Der See: blue < 30% in (0,0 1,0 1,1)"])
BASE = "edge-seg/pi"
OLD, NEW = ModelIdentity("fire", "a" * 64), ModelIdentity("fire", "b" * 64, 7)


def of(rule: Rule, kind: str = "raised", **fields: Any) -> AlertEvent:
    return event(**{**rule_fields(rule), "kind": kind, **fields})


def topics_of(broker: Broker, rules: tuple[Rule, ...] = RULES) -> Topics:
    return Topics(broker.base, broker.discovery, "pi", "Raspberry Pi 5", rules, ("red", "blue"), True)


class Line:
    """A notifier with its courier and outbox, as a camera has them."""

    def __init__(
        self,
        broker: Broker,
        store: EventStore,
        reports: list[str],
        rules: tuple[Rule, ...] = RULES,
        **more: float,
    ) -> None:
        outage = receiver_outage(f"MQTT broker {broker.name}", reports.append)
        self.telemetry = Telemetry(("red", "blue"), model=OLD, board=Board(lambda: 48.5, lambda: ()))
        discovery = Outage("Home Assistant", "will not find it", reports.append)
        self.notifier = MqttNotifier(
            broker,
            topics_of(broker, rules),
            outage,
            discovery,
            self.telemetry,
            reports.append,
            telemetry_every_s=3600,
            **more,
        )
        self.outbox = DiskOutbox(store, "broker", self.notifier.name, reports.append)
        self._courier = Courier(self.notifier, self.outbox, outage, reports.append)
        self.notifier.start(self._courier.wake)

    def tell(self, item: AlertEvent) -> None:
        self.notifier.note(item)
        self._courier.put(item)

    def close(self) -> None:
        assert close_couriers([self._courier], 5)


Lines = Callable[..., Line]


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as started:
        yield started


@contextmanager
def line(uri: str, folder: Path, reports: list[str], **kwargs: Any) -> Iterator[Line]:
    store = EventStore(folder / "o.sqlite3", reports.append)
    opened = Line(parse_broker(uri, "pi"), store, reports, **kwargs)
    try:
        yield opened
    finally:
        opened.close()
        store.close()


def test_a_broker_hears_of_alerts_shares_and_the_end(tmp_path: Path, broker: Mosquitto, reports: list[str]) -> None:
    with subscriber(broker.port) as heard:
        with line(broker.uri, tmp_path, reports) as opened:
            wait_until(lambda: heard.last(f"{BASE}/status") == "online")
            raised = of(RULES[0], share=0.5, snapshot="snapshots/a.jpg")
            opened.tell(raised)
            wait_until(lambda: len(heard.on(f"{BASE}/events")) == 1)
        wait_until(lambda: heard.last(f"{BASE}/status") == "offline", "offline")
    assert json.loads(heard.on(f"{BASE}/events")[0]) == raised.record()
    first, last = (json.loads(message) for message in heard.on(f"{BASE}/alert/red_above_40"))
    assert (first["state"], first["rule"], first["class"]) == ("OFF", "red > 40%", "red")
    assert last == {"state": "ON", **raised.record()}
    assert json.loads(heard.on(f"{BASE}/alert/der_see")[0])["state"] == "OFF"
    assert reports == []


def test_a_broker_hears_how_the_camera_does_before_the_first_picture_and_at_once(
    tmp_path: Path, broker: Mosquitto, reports: list[str]
) -> None:
    with subscriber(broker.port, f"{BASE}/telemetry") as heard, line(broker.uri, tmp_path, reports) as opened:

        def said() -> dict[str, Any]:
            return json.loads(heard.last(f"{BASE}/telemetry") or "{}")

        wait_until(lambda: bool(said()))
        assert said()["source"] == {"condition": "starting", "sentence": "waiting for the first picture"}
        assert said()["share"] == {"red": None, "blue": None}
        assert (said()["device"], said()["version"], said()["temperature_c"]) == ("pi", __version__, 48.5)
        opened.telemetry.observe(result(frame(), fps=12.5, dropped=3))
        wait_until(lambda: said()["source"]["condition"] == "live")
        assert said()["share"] == {"red": 50.0, "blue": 50.0}
        assert (said()["fps"], said()["frames"], said()["dropped"], said()["throttling"]) == (12.5, 1, 3, [])
        assert said()["model"] == {"name": "fire", "sha256": "a" * 64, "version": None}
        opened.telemetry.sink_error("a.mp4", "a.mp4: the disk is full")
        opened.telemetry.watch_alerts([], lambda: {"hook": 2, "siren": 1})
        opened.telemetry.model_changed(NEW)
        wait_until(lambda: said()["model"] == {"name": "fire", "sha256": "b" * 64, "version": 7})
        assert (said()["alerts_waiting"], said()["sink_errors"]) == (3, 1)
        assert said()["last_sink_error"]["sentence"] == "a.mp4: the disk is full"
        opened.telemetry.trouble("camera unplugged")
        wait_until(lambda: said()["source"] == {"condition": "trouble", "sentence": "camera unplugged"})
        assert (said()["share"], said()["fps"]) == ({"red": None, "blue": None}, 0.0)
        opened.telemetry.end()
    with subscriber(broker.port) as late:
        wait_until(lambda: late.last(f"{BASE}/status") == "offline")
        wait_until(lambda: late.last(f"{BASE}/telemetry") is not None)
        assert json.loads(late.last(f"{BASE}/telemetry") or "")["source"]["condition"] == "ended"


def test_home_assistant_is_told_what_there_is(tmp_path: Path, broker: Mosquitto, reports: list[str]) -> None:
    with line(broker.uri, tmp_path, reports), subscriber(broker.port) as heard:
        wait_until(lambda: heard.last(f"{BASE}/status") == "online")
    announced = {topic: json.loads(message) for topic, message, _ in heard.messages if topic.endswith("/config")}
    assert sorted(announced) == [
        "homeassistant/binary_sensor/edge_seg_pi/der_see/config",
        "homeassistant/binary_sensor/edge_seg_pi/red_above_40/config",
        "homeassistant/sensor/edge_seg_pi/share_blue/config",
        "homeassistant/sensor/edge_seg_pi/share_red/config",
        "homeassistant/sensor/edge_seg_pi/temperature/config",
    ]
    assert len({entity["unique_id"] for entity in announced.values()}) == 5
    for entity in announced.values():
        assert entity["availability_topic"] == f"{BASE}/status"
        assert entity["device"]["identifiers"] == ["edge_seg_pi"]
        assert entity["device"]["name"] == "pi"
        assert entity["origin"]["name"] == "edge-seg"
        assert entity["state_topic"].startswith(BASE)
    lake = announced["homeassistant/binary_sensor/edge_seg_pi/der_see/config"]
    assert (lake["name"], lake["value_template"], lake["payload_on"]) == ("Der See", "{{ value_json.state }}", "ON")
    assert lake["state_topic"] == lake["json_attributes_topic"] == f"{BASE}/alert/der_see"
    share = announced["homeassistant/sensor/edge_seg_pi/share_red/config"]
    assert (share["unit_of_measurement"], share["state_class"]) == ("%", "measurement")
    assert share["value_template"] == "{{ value_json.share['red'] }}"


def test_two_cameras_of_one_name_are_told_and_the_one_that_is_left_stays_online(
    tmp_path: Path, broker: Mosquitto, reports: list[str]
) -> None:
    others: list[str] = []
    (tmp_path / "other").mkdir()
    with line(broker.uri, tmp_path, reports, old_will_s=0.0), subscriber(broker.port, f"{BASE}/status") as heard:
        wait_until(lambda: heard.last(f"{BASE}/status") == "online")
        for times in (1, 2):
            with line(broker.uri, tmp_path / "other", others):
                wait_until(lambda times=times: len(heard.messages) == 3 * times - 1, "the other one")
            wait_until(lambda times=times: len(heard.messages) == 3 * times + 1, "online again")
        with subscriber(broker.port, f"{BASE}/status") as late:
            wait_until(lambda: late.messages == [(f"{BASE}/status", "online", True)])
    assert heard.on(f"{BASE}/status")[-3:] == ["online", "offline", "online"]
    name = f"MQTT broker {broker.uri}"
    assert reports == [f"{name}: another camera uses edge-seg/pi, too; give each its own name with --device-name"]
    assert others == []


def test_a_cameras_own_will_that_comes_late_is_contradicted_and_not_told(
    tmp_path: Path, broker: Mosquitto, reports: list[str]
) -> None:
    with line(broker.uri, tmp_path, reports), subscriber(broker.port, f"{BASE}/status") as heard:
        wait_until(lambda: heard.last(f"{BASE}/status") == "online")
        earlier = BrokerConnection(parse_broker(broker.uri, "pi"), will=(f"{BASE}/status", "offline"))
        earlier._client.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        wait_until(lambda: heard.on(f"{BASE}/status")[-2:] == ["offline", "online"], "online again")
        earlier.close()
    assert reports == []


def test_a_camera_that_may_not_hear_its_status_is_not_disturbed(tmp_path: Path, reports: list[str]) -> None:
    (tmp_path / "acl").write_text("topic write edge-seg/#\ntopic write homeassistant/#\n")
    with (
        mosquitto(tmp_path, "allow_anonymous true", f"acl_file {tmp_path / 'acl'}") as broker,
        line(broker.uri, tmp_path, reports) as opened,
    ):
        opened.tell(of(RULES[0]))
        wait_until(lambda: opened.outbox.count() == 0, "the delivery")
    assert reports == []


def test_who_comes_later_finds_how_things_stand(tmp_path: Path, broker: Mosquitto, reports: list[str]) -> None:
    with line(broker.uri, tmp_path, reports) as opened:
        with subscriber(broker.port) as heard:
            wait_until(lambda: heard.last(f"{BASE}/status") == "online")
            opened.tell(of(RULES[0]))
            wait_until(lambda: "ON" in (heard.last(f"{BASE}/alert/red_above_40") or ""))
        with subscriber(broker.port) as late:
            wait_until(lambda: late.last(f"{BASE}/status") is not None)
            assert json.loads(late.last(f"{BASE}/alert/red_above_40") or "")["state"] == "ON"
            assert all(retained for _, _, retained in late.messages)
            assert late.on(f"{BASE}/events") == []


def test_what_a_run_with_other_rules_left_is_cleared(tmp_path: Path, broker: Mosquitto, reports: list[str]) -> None:
    with line(broker.uri, tmp_path, reports), subscriber(broker.port) as heard:
        wait_until(lambda: heard.last(f"{BASE}/status") == "online")
    with line(broker.uri, tmp_path, reports, rules=RULES[:1]), subscriber(broker.port) as heard:
        gone = ["homeassistant/binary_sensor/edge_seg_pi/der_see/config", f"{BASE}/alert/der_see"]
        wait_until(lambda: all(heard.last(topic) in (None, "") for topic in gone) and bool(heard.messages))
    with subscriber(broker.port) as later:
        wait_until(lambda: later.last(f"{BASE}/status") == "offline")
        found = {topic for topic, _, _ in later.messages}
    assert not found & set(gone)
    assert "homeassistant/binary_sensor/edge_seg_pi/red_above_40/config" in found


def test_no_alert_is_lost_when_the_broker_dies_and_returns(
    tmp_path: Path, broker: Mosquitto, reports: list[str]
) -> None:
    events = [of(RULES[0], kind) for _ in range(6) for kind in ("raised", "cleared")]
    with line(broker.uri, tmp_path, reports) as opened:
        with subscriber(broker.port) as before:
            opened.tell(events[0])
            wait_until(lambda: len(before.on(f"{BASE}/events")) == 1)
        broker.kill()
        for item in events[1:8]:
            opened.tell(item)
            time.sleep(0.02)
        wait_until(lambda: bool(reports), "the report")
        broker.start()
        with subscriber(broker.port) as after:
            for item in events[8:]:
                opened.tell(item)
            wait_until(lambda: len(after.on(f"{BASE}/events")) >= 11)
            wait_until(lambda: "OFF" in (after.last(f"{BASE}/alert/red_above_40") or ""))
            assert after.last(f"{BASE}/status") == "online"
    assert [json.loads(message)["id"] for message in after.on(f"{BASE}/events")] == [item.id for item in events[1:]]
    assert len(reports) == 2
    assert reports[0].startswith(f"MQTT broker {broker.uri}: ")
    assert reports[1] == f"MQTT broker {broker.uri}: works again"


def test_no_alert_is_lost_over_an_outage_and_a_restart(tmp_path: Path, reports: list[str]) -> None:
    absent = Mosquitto(tmp_path)
    events = [of(RULES[0]) for _ in range(5)]
    with line(absent.uri, tmp_path, reports) as opened:
        for item in events:
            opened.tell(item)
        wait_until(lambda: bool(reports))
    assert reports == [
        f"MQTT broker {absent.uri}: refuses the connection at port {absent.port}; alerts wait until it works again"
    ]
    absent.start()
    try:
        with subscriber(absent.port) as heard, line(absent.uri, tmp_path, reports):
            wait_until(lambda: len(heard.on(f"{BASE}/events")) == 5)
    finally:
        absent.kill()
    assert [json.loads(message)["id"] for message in heard.on(f"{BASE}/events")] == [item.id for item in events]
    assert "ON" not in (heard.last(f"{BASE}/alert/red_above_40") or "")  # the new run has not raised it


def test_a_password_is_needed_where_it_is(tmp_path: Path, reports: list[str]) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("")
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        uri = f"mqtt://ann:s3cret@127.0.0.1:{broker.port}"
        with line(uri, tmp_path, reports):
            wait_until(lambda: bool(reports))
        with pytest.raises(Unreachable, match=r"name a user, as in mqtts://USER@host, and set EDGE_SEG_MQTT_PASSWORD"):
            OneMessage(parse_broker(broker.uri, "pi")).deliver(event())
    assert "refuses the connection (Not authorized): check the user 'ann' and EDGE_SEG_MQTT_PASSWORD" in reports[0]
    assert "s3cret" not in reports[0]


def only(folder: Path, *topics: str) -> list[str]:
    """Configure a broker on which everybody reads everything and writes to some topics alone."""
    rights = ["topic read #", *(f"topic readwrite {topic}" for topic in topics)]
    (folder / "acl").write_text("\n".join(rights) + "\n")
    return ["allow_anonymous true", f"acl_file {folder / 'acl'}"]


def test_what_the_broker_forbids_is_told_and_nothing_is_lost(tmp_path: Path, reports: list[str]) -> None:
    with mosquitto(tmp_path, *only(tmp_path, "elsewhere/#", "homeassistant/#")) as broker:
        with pytest.raises(Unreachable, match=r"does not let its user write edge-seg/pi/events \(Not authorized\)"):
            OneMessage(parse_broker(broker.uri, "pi")).deliver(event())
        with line(broker.uri, tmp_path, reports) as opened:
            opened.tell(of(RULES[0]))
            wait_until(lambda: bool(reports), "the report")
            broker.kill()
            only(tmp_path, "edge-seg/#", "homeassistant/#")
            broker.start()
            with subscriber(broker.port) as heard:
                wait_until(lambda: len(heard.on(f"{BASE}/events")) == 1)
    assert "does not let its user write edge-seg/pi/alert/red_above_40 (Not authorized); alerts wait" in reports[0]
    assert reports[1:] == [f"MQTT broker {broker.uri}: works again"]


def test_alerts_go_where_home_assistant_is_forbidden(tmp_path: Path, reports: list[str]) -> None:
    with (
        mosquitto(tmp_path, *only(tmp_path, "edge-seg/#")) as broker,
        subscriber(broker.port) as heard,
        line(broker.uri, tmp_path, reports) as opened,
    ):
        opened.tell(of(RULES[0]))
        wait_until(lambda: len(heard.on(f"{BASE}/events")) == 1)
    (told,) = reports
    assert told.startswith("Home Assistant: does not let its user write homeassistant/binary_sensor/edge_seg_pi/")


def test_a_broker_that_knows_no_mqtt_5_is_spoken_to_in_its_own(
    tmp_path: Path, broker: Mosquitto, reports: list[str]
) -> None:
    with older_broker(broker.port) as port, subscriber(broker.port) as heard:
        with line(f"mqtt://127.0.0.1:{port}", tmp_path, reports) as opened:
            opened.tell(of(RULES[0]))
            wait_until(lambda: len(heard.on(f"{BASE}/events")) == 1)
        wait_until(lambda: heard.last(f"{BASE}/status") == "offline")
    assert reports == []


# paho-mqtt leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore:.*unclosed <ssl:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <ssl:ResourceWarning")
def test_an_encrypted_broker_is_checked(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    tls = [f"certfile {certificate}", f"keyfile {tmp_path / 'key.pem'}", "allow_anonymous true"]
    with mosquitto(tmp_path, *tls) as broker:
        uri = f"mqtts://127.0.0.1:{broker.port}"
        with pytest.raises(Unreachable, match=r"certificate is not trusted.*--ca-file"):
            OneMessage(parse_broker(uri, "pi")).deliver(event())
        trusting = parse_broker(uri, "pi", ca_file=tmp_path / "cert.pem")
        OneMessage(trusting).deliver(event())
        with pytest.raises(Unreachable, match=r"for another name .*127\.1.*: use the name in the certificate"):
            OneMessage(replace(trusting, host="127.1")).deliver(event())


def test_a_silent_broker_is_asked_for_its_scheme() -> None:
    assert _silence(parse_broker("mqtt://ha:8883", "pi")) == "does not answer in time: port 8883 mostly speaks mqtts://"
    assert _silence(parse_broker("mqtts://ha", "pi")) == _silence(parse_broker("mqtt://ha", "pi"))


def test_no_event_waits_behind_telemetry(broker: Mosquitto) -> None:
    connection = BrokerConnection(parse_broker(broker.uri, "pi"))
    opened: Any = connection._client.socket()
    assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    connection.close()


def test_a_trial_changes_nothing_but_events(broker: Mosquitto) -> None:
    with subscriber(broker.port) as heard:
        OneMessage(parse_broker(broker.uri, "pi")).deliver(event(kind="test"))
        wait_until(lambda: bool(heard.messages))
        time.sleep(0.2)
    assert [topic for topic, _, _ in heard.messages] == [f"{BASE}/events"]


def test_closing_does_not_wait_for_a_broker_that_is_not_there(tmp_path: Path, reports: list[str]) -> None:
    with line(f"mqtt://127.0.0.1:{free_port()}", tmp_path, reports) as opened:
        opened.tell(of(RULES[0]))
        wait_until(lambda: bool(reports))
        started = time.monotonic()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mqtt://ha", ("ha", 1883, None, None, "edge-seg/my_pi", "homeassistant")),
        ("mqtts://ann:p%40ss@ha.org:99/a/b/", ("ha.org", 99, "ann", "p@ss", "a/b", "homeassistant")),
        ("mqtts://ann@ha.org?discovery=off", ("ha.org", 8883, "ann", "given", "edge-seg/my_pi", None)),
        ("mqtt://[::1]/?discovery=ha", ("::1", 1883, None, "given", "edge-seg/my_pi", "ha")),
    ],
)
def test_a_brokers_address_is_read(uri: str, expected: tuple[Any, ...]) -> None:
    broker = parse_broker(uri, "My Pi", password="given" if "given" in expected else None)
    found = (broker.host, broker.port, broker.user, broker.password, broker.base, broker.discovery)
    assert found == expected
    assert (broker.tls is None) == uri.startswith("mqtt:")
    assert "p@ss" not in broker.name


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("mqtt://test.mosquitto.org", "unencrypted over a public network; give mqtts://"),
        ("http://ha", "no address by mqtt or mqtts"),
        ("mqtt://ha/a/+/b", "holds no + # or"),
        ("mqtt://ha?qos=2", "knows no option 'qos'"),
        ("server.local", "server.local: is no address by mqtt or mqtts; write it as mqtts://server.local"),
        ("ha:8883", "ha:8883: is no address by mqtt or mqtts; write it as mqtts://ha:8883"),
        ("mqtt://ha/a/#", "holds a #, which no topic does"),
        ("mqtt://ha/" + "x" * 1001, "its topic has 1001 letters"),
        ("mqtt://ha/\udcff", "is no address"),
    ],
)
def test_a_bad_broker_is_one_sentence(uri: str, says: str) -> None:
    with pytest.raises(AlertError) as caught:
        parse_broker(uri, "pi")
    assert says in str(caught.value)
