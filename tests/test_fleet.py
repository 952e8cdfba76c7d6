"""Many cameras in one place: the files of edge/fleet in the programs they are for."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from alert_events import alert_event
from alert_fixtures import subscriber, wait_until
from edge_seg.model_identity import ModelIdentity
from edge_seg_bench.fleet.prometheus import Prometheus
from fleet_fixtures import (
    FLEET,
    dashboard,
    dashboard_expressions,
    fleet_broker,
    metrics_in,
    prometheus,
    prometheus_folder,
    promtool,
)
from live_camera import Camera, camera
from test_cli_alerts import camera as camera_process

TOKEN, RULE = "watch-0-the-fleet", "fire > 2% for 3s"
RULES = yaml.safe_load((FLEET / "rules.yml").read_text())["groups"][0]["rules"]
RULE_TESTS = yaml.safe_load((FLEET / "rules_test.yml").read_text())["tests"]


@dataclass
class Watched:
    prometheus: Prometheus
    porch: Camera


@contextmanager
def eventful(running: Camera) -> Iterator[Camera]:
    """Have a camera something of everything that it may report."""
    running.telemetry.model_changed(ModelIdentity("fake", "a" * 64, 3))
    running.telemetry.watch_alerts([RULE, "quiet"], lambda: {"hook": 2})
    running.telemetry.alert(alert_event(RULE, "raised"))
    running.telemetry.sink_error("out.mp4", "out.mp4: the disk is full")
    running.telemetry.watch_updates(["accepted", "refused", "taken_back", "failed"])
    yield running


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Two cameras that Prometheus may ask, and one whose token is another."""
    with (
        camera(token=TOKEN) as porch,
        camera(token=TOKEN, rate=5.0) as yard,
        camera(token="another", rate=5.0) as gate,
        eventful(porch),
        eventful(yard),
    ):
        ports = {"porch": porch.port, "yard": yard.port, "gate": gate.port}
        folder = prometheus_folder(tmp_path_factory.mktemp("fleet") / "prometheus", f"{TOKEN}\n", ports)
        with prometheus(folder) as server:
            wait_until(lambda: len(server.query("up")) == 3 and len(server.query("up == 1")) == 2, "the cameras")
            yield Watched(server, porch)


def test_the_token_is_asked_for_and_sent(watched: Watched) -> None:
    up = {item["metric"]["instance"]: item["value"][1] for item in watched.prometheus.query("up")}
    assert up == {"porch": "1", "yard": "1", "gate": "0"}
    targets = {item["labels"]["instance"]: item for item in watched.prometheus.ask("targets")["activeTargets"]}
    assert "401" in targets["gate"]["lastError"] or "429" in targets["gate"]["lastError"]
    assert {item["labels"]["fleet"] for item in targets.values()} == {"simulated"}


@pytest.mark.parametrize("expression", dashboard_expressions())
def test_every_query_of_the_dashboard_has_an_answer(watched: Watched, expression: str) -> None:
    wait_until(lambda: bool(watched.prometheus.query(expression)), expression)


def test_every_rule_is_evaluated_and_what_a_camera_sees_is_told(watched: Watched) -> None:
    def rules() -> dict[str, Any]:
        (group,) = watched.prometheus.ask("rules")["groups"]
        return {rule["name"]: rule for rule in group["rules"]}

    seeing = 'ALERTS{alertname="CameraSees"}'
    wait_until(lambda: len(watched.prometheus.query(seeing)) == 2, "the alerts")
    expected = {rule["alert"]: "ok" for rule in RULES}
    wait_until(lambda: {name: rule["health"] for name, rule in rules().items()} == expected, "every rule's health")
    told = {(item["metric"]["instance"], item["metric"]["rule"]) for item in watched.prometheus.query(seeing)}
    assert told == {("porch", RULE), ("yard", RULE)}
    wait_until(lambda: rules()["CameraDown"]["state"] == "pending", "the alert of the camera that does not answer")


def test_the_rules_and_the_dashboard_name_what_cameras_tell(watched: Watched) -> None:
    told = set(watched.prometheus.ask("label/__name__/values"))
    assert metrics_in([rule["expr"] for rule in RULES]) <= told
    assert metrics_in(dashboard_expressions()) <= told
    for name, labels in series_of_the_rule_tests():
        (real, *_) = watched.prometheus.query(f'{name}{{job="edge-seg"}}')
        assert labels <= set(real["metric"]), name


def series_of_the_rule_tests() -> Iterator[tuple[str, set[str]]]:
    for test in RULE_TESTS:
        for item in test["input_series"]:
            name, labels = item["series"].split("{", 1)
            yield name, set(re.findall(r"(\w+)=", labels))


def test_the_rules_hold_and_fire_when_they_should() -> None:
    promtool("check", "rules", "rules.yml", folder=FLEET)
    promtool("test", "rules", "rules_test.yml", folder=FLEET)


def test_the_shipped_configuration_and_its_list_of_cameras_are_taken(tmp_path: Path) -> None:
    folder = shutil.copytree(FLEET, tmp_path / "fleet")
    (folder / "edge-seg.token").write_text(TOKEN)
    promtool("check", "config", "prometheus.yml", folder=folder)
    (folder / "cameras.yml").write_text("- porch.local")
    with pytest.raises(AssertionError, match=r"cameras\.yml"):
        promtool("check", "config", "prometheus.yml", folder=folder)


def test_every_rule_is_seen_to_fire() -> None:
    expected = {case["alertname"] for test in RULE_TESTS for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert expected == {rule["alert"] for rule in RULES}


def test_the_dashboard_is_one_that_grafana_knows() -> None:
    """Grafana's own types read it; a field that they do not know would be gone from what they write."""
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    ours = dashboard()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))
    assert list(differences(ours, read)) == []


def differences(ours: Any, read: Any, where: str = "dashboard") -> Iterator[str]:
    """Name what of ours is missing or different; what was added, such as defaults, is not looked at."""
    if isinstance(ours, dict) and isinstance(read, dict):
        for key, value in ours.items():
            if key in read or value is not None:
                yield from differences(value, read.get(key), f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(read, list) and len(ours) == len(read):
        for index, (one, other) in enumerate(zip(ours, read, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif ours != read:
        yield where


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


# The broker

PASSWORDS = {"porch": "p1", "yard": "p2", "operator": "p3"}


def test_a_camera_that_only_reports_is_known_and_missed(tmp_path: Path) -> None:
    with (
        fleet_broker(tmp_path, PASSWORDS) as (broker, ca_file),
        subscriber(broker.port, "edge-seg/#", user="operator", password="p3", ca_file=ca_file) as heard,
    ):
        reporting = ["--mqtt", f"mqtts://porch@localhost:{broker.port}?discovery=off", "--device-name", "porch"]
        with camera_process(tmp_path, *reporting, "--ca-file", ca_file, EDGE_SEG_MQTT_PASSWORD="p1") as process:
            wait_until(lambda: '"condition": "live"' in (heard.last("edge-seg/porch/telemetry") or ""), "pictures")
            assert heard.last("edge-seg/porch/status") == "online"
            process.kill()
            wait_until(lambda: heard.last("edge-seg/porch/status") == "offline", "the last will")
        with subscriber(broker.port, "edge-seg/+/+", user="operator", password="p3", ca_file=ca_file) as late:
            wait_until(lambda: len(late.messages) == 2, "what is retained")
    assert {topic: retained for topic, _, retained in late.messages} == {
        "edge-seg/porch/status": True,
        "edge-seg/porch/telemetry": True,
    }
    assert late.last("edge-seg/porch/status") == "offline"
    telemetry = json.loads(late.last("edge-seg/porch/telemetry") or "")
    assert telemetry["device"] == "porch"
    assert telemetry["model"]["name"] == "pets"
    assert re.fullmatch("[0-9a-f]{64}", telemetry["model"]["sha256"])
    assert telemetry["frames"] > 0


def test_a_camera_speaks_for_itself_alone(tmp_path: Path) -> None:
    from paho.mqtt import MQTTException, publish

    def say(user: str | None, *topics: str) -> None:
        publish.multiple(
            [(topic, user, 1, True) for topic in topics],
            hostname="localhost",
            port=broker.port,
            auth=None if user is None else {"username": user, "password": PASSWORDS[user]},
            tls={"ca_certs": str(ca_file)},
        )

    with (
        fleet_broker(tmp_path, PASSWORDS) as (broker, ca_file),
        subscriber(broker.port, user="operator", password="p3", ca_file=ca_file) as operator,
        subscriber(broker.port, user="porch", password="p1", ca_file=ca_file) as porch,
    ):
        for user in ("operator", "yard", "porch"):
            say(user, "edge-seg/porch/status", "homeassistant/sensor/x/y/config", f"edge-seg/{user}/end")
        wait_until(
            lambda: operator.last("edge-seg/porch/end") is not None and porch.last("edge-seg/porch/end") is not None
        )
        with pytest.raises(MQTTException):
            say(None, "edge-seg/porch/status")
    assert [(topic, who) for topic, who, _ in operator.messages] == [
        ("edge-seg/operator/end", "operator"),
        ("edge-seg/yard/end", "yard"),
        ("edge-seg/porch/status", "porch"),
        ("edge-seg/porch/end", "porch"),
    ]
    assert {topic for topic, _, _ in porch.messages} == {"edge-seg/porch/status", "edge-seg/porch/end"}
