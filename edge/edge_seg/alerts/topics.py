"""The topics of a camera on a broker, and what is on them.

BASE/status           "online", or "offline" as the last will; retained
BASE/alert/NAME       how an alert stands, {"state": "ON", …}, with its last event's record; retained
BASE/events           every event's record, in order; not retained
BASE/telemetry        how the camera does, see `Topics.telemetry_message`; retained

homeassistant/…/config    Home Assistant's discovery: a binary sensor per alert, sensors for the rest; retained
                          https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from edge_seg import __version__
from edge_seg.alerts.event import AlertEvent, rule_fields
from edge_seg.alerts.rule import Rule
from edge_seg.alerts.slugs import slug, slugs
from edge_seg.telemetry import State

ONLINE, OFFLINE = "online", "offline"
_EXPIRES_S = 120


@dataclass(frozen=True)
class Topics:
    """The topics of one camera."""

    base: str
    discovery: str | None
    """Home Assistant's prefix, or None."""
    device: str
    model: str
    """What kind of machine the device is."""
    rules: Sequence[Rule]
    classes: Sequence[str]
    with_temperature: bool

    @property
    def status(self) -> str:
        """Where the camera says that it is there."""
        return f"{self.base}/status"

    @property
    def events(self) -> str:
        """Where every event goes."""
        return events_topic(self.base)

    @property
    def telemetry(self) -> str:
        """Where class shares, rate and temperature go."""
        return f"{self.base}/telemetry"

    @property
    def alerts(self) -> Mapping[str, str]:
        """The topic of each alert, by the rule's title."""
        names = slugs([rule.title for rule in self.rules])
        return {title: f"{self.base}/alert/{name}" for title, name in names.items()}

    @property
    def retained_patterns(self) -> list[str]:
        """Patterns of topics on which a run with other rules may have left something."""
        announced = [f"{self.discovery}/+/{self._node}/+/config"] if self.discovery else []
        return [f"{self.base}/alert/+", *announced]

    def state(self, rule: Rule, last: AlertEvent | None) -> str:
        """Return the message that says how an alert stands after its last event."""
        fields = {**rule_fields(rule)}
        fields["class"] = fields.pop("class_name")
        state = "ON" if last is not None and last.kind == "raised" else "OFF"
        return json.dumps({"state": state, **(fields if last is None else last.record())}, ensure_ascii=False)

    def telemetry_message(self, state: State) -> str:
        """Return the message of how the camera does; what was seen is null while no pictures come."""
        live = state.source.condition == "live"
        fault = state.last_sink_error
        message = {
            "time": _iso(state.time),
            "started": _iso(state.time - state.uptime_s),
            "device": self.device,
            "version": __version__,
            "model": None if state.model is None else asdict(state.model),
            "source": asdict(state.source),
            "fps": round(state.fps, 2),
            "frames": state.frames,
            "dropped": state.dropped,
            "share": {
                short: round(state.shares[name] * 100, 2) if live and name in state.shares else None
                for name, short in slugs(self.classes).items()
            },
            "temperature_c": state.board.temperature_c,
            "throttling": state.board.throttling,
            "alerts_active": [alert.rule for alert in state.active_alerts],
            "alerts_waiting": sum(state.alerts_waiting.values()),
            "sink_errors": sum(state.sink_errors.values()),
            "last_sink_error": None if fault is None else {**asdict(fault), "time": _iso(fault.time)},
        }
        return json.dumps(message, ensure_ascii=False)

    def announcements(self) -> dict[str, str]:
        """Return Home Assistant's configuration messages by topic; none when nothing is to be announced."""
        if self.discovery is None:
            return {}
        return {
            f"{self.discovery}/{kind}/{self._node}/{name}/config": json.dumps(
                {**self._common(name), **fields}, ensure_ascii=False
            )
            for kind, name, fields in self._entities()
        }

    @property
    def _node(self) -> str:
        return slug(self.base)

    def _entities(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for title, topic in self.alerts.items():
            yield "binary_sensor", topic.rpartition("/")[2], _alert_entity(title, topic)
        for name, short in slugs(self.classes).items():
            template = f"{{{{ value_json.share['{short}'] }}}}"
            yield "sensor", f"share_{short}", self._sensor(f"{name} area", template, "%")
        if self.with_temperature:
            sensor = self._sensor("temperature", "{{ value_json.temperature_c }}", "°C")
            yield "sensor", "temperature", {**sensor, "device_class": "temperature", "entity_category": "diagnostic"}

    def _sensor(self, name: str, template: str, unit: str) -> dict[str, Any]:
        return {
            "name": name,
            "state_topic": self.telemetry,
            "value_template": template,
            "unit_of_measurement": unit,
            "state_class": "measurement",
            "suggested_display_precision": 1,
            "expire_after": _EXPIRES_S,
        }

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "unique_id": f"{self._node}_{name}",
            "availability_topic": self.status,
            "payload_available": ONLINE,
            "payload_not_available": OFFLINE,
            "qos": 1,
            "device": {
                "identifiers": [self._node],
                "name": self.device,
                "manufacturer": "edge-seg",
                "model": self.model,
                "sw_version": __version__,
            },
            "origin": {"name": "edge-seg", "sw_version": __version__},
        }


def events_topic(base: str) -> str:
    """Return where every event goes."""
    return f"{base}/events"


def _iso(time_s: float) -> str:
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")


def _alert_entity(title: str, topic: str) -> dict[str, Any]:
    return {
        "name": title,
        "state_topic": topic,
        "value_template": "{{ value_json.state }}",
        "payload_on": "ON",
        "payload_off": "OFF",
        "json_attributes_topic": topic,
    }
