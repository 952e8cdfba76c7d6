"""Alert events with what tests care about; the rest is made up."""

from edge_seg.alerts.event import AlertEvent, EventKind


def alert_event(rule: str, kind: EventKind, time: float = 1.0, share: float = 0.5) -> AlertEvent:
    return AlertEvent(
        id=f"{rule} {kind} {time}",
        kind=kind,
        incident="",
        alert=rule,
        rule=rule,
        class_name="red",
        region=None,
        share=share,
        threshold=0.02,
        time=time,
        device="device",
        source="gate",
        frame=0,
    )
