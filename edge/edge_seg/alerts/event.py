"""An alert's event: what is written, published and posted.

id          unique; a receiver that sees it twice drops the second
event       "raised", "cleared" or "test"
incident    the id of the "raised" that a "cleared" belongs to
alert       the rule's name
rule        the rule as it is written
class       the class the rule looks at
region      the region's name, its points, or null for the whole picture
share       the share seen, 0 to 1, and `threshold` that of the rule
time        ISO 8601, UTC, when the frame was captured
device      the machine's name
source      the source's name, and `frame` the frame's index in it
snapshot    the picture with the classes drawn over it, relative to the folder of alerts.jsonl; null where none is
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from edge_seg.alerts.rule import Rule

EventKind = Literal["raised", "cleared", "test"]


@dataclass(frozen=True)
class AlertEvent:
    """One event; see this module's docstring."""

    id: str
    kind: EventKind
    incident: str
    alert: str
    rule: str
    class_name: str
    region: str | None
    share: float
    threshold: float
    time: float
    """Seconds since the epoch."""
    device: str
    source: str
    frame: int
    snapshot: str | None = None

    def record(self) -> dict[str, str | int | float | None]:
        """Return the flat record that is written as JSON; see this module's docstring."""
        return {
            "id": self.id,
            "event": self.kind,
            "incident": self.incident,
            "alert": self.alert,
            "rule": self.rule,
            "class": self.class_name,
            "region": self.region,
            "share": round(self.share, 6),
            "threshold": self.threshold,
            "time": datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds"),
            "device": self.device,
            "source": self.source,
            "frame": self.frame,
            "snapshot": self.snapshot,
        }

    def to_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(self.record(), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "AlertEvent":
        """Read what `to_json` wrote.

        Raises:
            ValueError, KeyError: it did not write this.
        """
        values: dict[str, Any] = json.loads(text)
        values["kind"], values["class_name"] = values.pop("event"), values.pop("class")
        values["time"] = datetime.fromisoformat(values["time"]).timestamp()
        return cls(**values)


@dataclass(frozen=True)
class Origin:
    """Where a run's events come from."""

    device: str
    source: str


def new_id() -> str:
    """Return an id that no other event has."""
    return uuid.uuid4().hex


def sample_event(rule: Rule, origin: Origin, time_s: float) -> AlertEvent:
    """Return the event that tries a way out: as `rule` would raise it, with the kind "test"."""
    event_id = new_id()
    return AlertEvent(
        id=event_id,
        kind="test",
        incident=event_id,
        **rule_fields(rule),
        share=rule.threshold,
        time=time_s,
        device=origin.device,
        source=origin.source,
        frame=0,
    )


def rule_fields(rule: Rule) -> Mapping[str, Any]:
    """Return the fields of an event that its rule says."""
    region = None if rule.region is None else rule.region.name or str(rule.region)
    return {
        "alert": rule.title,
        "rule": str(rule),
        "class_name": rule.class_name,
        "region": region,
        "threshold": rule.threshold,
    }
