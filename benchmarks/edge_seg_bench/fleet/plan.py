"""What happens in front of each camera: decided by a seed alone, so that the events to come are known beforehand."""

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass

from edge_seg.alerts.event import EventKind

FPS = 4
"""A power of two: sums of frame times are exact, and with them the frame that raises an alert."""

_LASTS_S = (2.0, 8.0)
_MOST_QUIET_S = 35.0
_QUIET_PARTS = 8
_DECOYS = 0.25


@dataclass(frozen=True)
class Watched:
    """An alert that every camera has, and the shares of the picture that raise it or do not."""

    alert: str
    rule: str
    """As a user writes it."""
    for_frames: int
    """After so many further frames the alert is raised."""
    quiet: tuple[float, float]
    """Range of the class's share of the picture while nothing is wrong."""
    high: tuple[float, float]


WATCHED = (
    Watched("fire", "fire: fire > 5% for 1s hysteresis 1%", 1 * FPS, (0.0, 0.035), (0.07, 0.2)),
    Watched("flood", "flood: water > 50% for 2s hysteresis 10% in bank", 2 * FPS, (0.02, 0.18), (0.28, 0.45)),
)
REGION = "bank=0,0.5 1,0.5 1,1 0,1"
"""The lower half, where the water is: its share there is twice that of the picture."""


@dataclass(frozen=True)
class Incident:
    """Frames in which a share is too high."""

    alert: str
    first_frame: int
    frames: int

    @property
    def end_frame(self) -> int:
        """The first frame in which all is well again."""
        return self.first_frame + self.frames


@dataclass(frozen=True, order=True)
class PlannedEvent:
    """An event that must arrive."""

    device: str
    frame: int
    alert: str
    kind: EventKind


def device_name(number: int) -> str:
    """Return what camera `number` is called."""
    return f"camera{number:03d}"


def plan_camera(seed: int, number: int, frames: int) -> tuple[Incident, ...]:
    """Return all that happens in front of one camera, over before frame `frames`.

    Some of it is over sooner than its rule asks for, and must raise nothing.
    """
    chance = random.Random(f"{seed} {number}")
    return tuple(incident for watched in WATCHED for incident in _incidents(watched, chance, frames))


def planned_events(device: str, incidents: Sequence[Incident]) -> Iterator[PlannedEvent]:
    """Give the events that the incidents of a camera lead to."""
    for_frames = {watched.alert: watched.for_frames for watched in WATCHED}
    for incident in incidents:
        if incident.frames > for_frames[incident.alert]:
            raised = incident.first_frame + for_frames[incident.alert]
            yield PlannedEvent(device, raised, incident.alert, "raised")
            yield PlannedEvent(device, incident.end_frame, incident.alert, "cleared")


def raised_by(events: Collection[PlannedEvent], left_out: Set[str]) -> Counter[str]:
    """Return how many alerts each camera raises, without those that are left out."""
    return Counter(event.device for event in events if event.kind == "raised" and event.device not in left_out)


def _incidents(watched: Watched, chance: random.Random, frames: int) -> Iterator[Incident]:
    quiet_frames = min(_MOST_QUIET_S * FPS, frames / _QUIET_PARTS)
    frame = 1 + int(chance.uniform(0.0, 2.0) * quiet_frames)
    while True:
        is_decoy = chance.random() < _DECOYS
        length = watched.for_frames if is_decoy else watched.for_frames + round(chance.uniform(*_LASTS_S) * FPS)
        if frame + length >= frames:
            return
        yield Incident(watched.alert, frame, length)
        frame += length + 1 + int(chance.uniform(0.2, 1.8) * quiet_frames)
