"""What the broker keeps of every camera, held against how it should be."""

import json
from collections.abc import Collection, Iterator, Mapping, Set
from datetime import datetime
from typing import Any

from edge_seg_bench.fleet.camera import MODEL
from edge_seg_bench.fleet.plan import WATCHED, PlannedEvent
from edge_seg_bench.fleet.receiver import ROOT

_OLDEST_S = 30.0  # telemetry is published every ten seconds


def wrong_retained(
    retained: Mapping[str, str], planned: Collection[PlannedEvent], cameras: Set[str], killed: Set[str], now: float
) -> list[str]:
    """Return a sentence for each retained message that is absent or says what is not so.

    Args:
        retained: messages by topic.
        planned: every event that was to be.
        cameras: all of them, by name.
        killed: those of them that were killed.
        now: when the messages were read, in seconds since the epoch.
    """
    states = {(event.device, event.alert): event.kind for event in sorted(planned)}
    return [
        f"{camera}: {wrong}"
        for camera in sorted(cameras)
        for wrong in (
            *_wrong_status(retained.get(f"{ROOT}/{camera}/status"), camera in killed),
            *_wrong_alerts(retained, states, camera),
            *_wrong_telemetry(retained.get(f"{ROOT}/{camera}/telemetry"), None if camera in killed else now),
        )
    ]


def _wrong_status(status: str | None, is_killed: bool) -> Iterator[str]:
    expected = "offline" if is_killed else "online"
    if status != expected:
        yield f"status is {status}, not {expected}"


def _wrong_alerts(retained: Mapping[str, str], states: Mapping[tuple[str, str], str], camera: str) -> Iterator[str]:
    for watched in WATCHED:
        expected = "ON" if states.get((camera, watched.alert)) == "raised" else "OFF"
        state = json.loads(retained.get(f"{ROOT}/{camera}/alert/{watched.alert}", "{}")).get("state")
        if state != expected:
            yield f"alert {watched.alert} is {state}, not {expected}"


def _wrong_telemetry(text: str | None, now: float | None) -> Iterator[str]:
    """Look at the model's hash, and of a camera that lives at rate, temperature and age."""
    if text is None:
        yield "no telemetry"
        return
    message: dict[str, Any] = json.loads(text)
    if message["model"]["sha256"] != MODEL.sha256:
        yield f"another model: {message['model']}"
    if now is None:
        return
    if not message["fps"] or message["temperature_c"] is None:
        yield f"rate {message['fps']}, temperature {message['temperature_c']}"
    age_s = now - datetime.fromisoformat(message["time"]).timestamp()
    if age_s > _OLDEST_S:
        yield f"telemetry is {age_s:.0f} s old"
