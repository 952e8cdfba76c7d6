"""What was seen of a run, before anybody judges it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from edge_seg_bench.fleet.driver import Ended
from edge_seg_bench.fleet.plan import PlannedEvent
from edge_seg_bench.fleet.receiver import Arrival
from edge_seg_bench.fleet.usage import Usage


class Restart(StrEnum):
    """How the broker is ended before it is started again."""

    TERM = "term"
    """Asked by SIGTERM: it saves what it keeps."""
    KILL = "kill"
    """By SIGKILL, as a power cut would: what it has not saved is gone."""


@dataclass(frozen=True)
class FleetSettings:
    """What a run is to be."""

    cameras: int
    seconds: float
    seed: int
    config: Path
    """The folder with prometheus.yml, rules.yml, mosquitto.conf and mosquitto.acl."""
    restarts: tuple[Restart, ...] = (Restart.TERM,)
    """Of the broker, evenly spread over the run."""
    away_s: float = 5.0
    """How long the broker is gone each time."""

    @property
    def doomed(self) -> int:
        """How many cameras are killed in the last quarter, one of forty."""
        return max(1, self.cameras // 40)


@dataclass(frozen=True)
class Outage:
    """The broker was gone; times are seconds since the epoch."""

    by: Restart
    gone_at: float
    started_at: float
    back_at: float | None
    """When the last camera was online again; None when one never was."""


@dataclass(frozen=True)
class Scraped:
    """What Prometheus knows, by the cameras' names."""

    ever_up: frozenset[str]
    reported_down: frozenset[str]
    """At the end, by a rule that fires."""
    failed_scrapes: int
    """Of cameras that were not killed."""
    raised: Mapping[str, int]
    """Alerts raised, as each camera counts them."""


@dataclass(frozen=True)
class Observed:
    """All of a run."""

    settings: FleetSettings
    processes: int
    started_at: float
    ended_at: float
    planned: frozenset[PlannedEvent]
    arrivals: tuple[Arrival, ...]
    journalled: frozenset[PlannedEvent]
    """Events in the cameras' own alerts.jsonl."""
    outages: tuple[Outage, ...]
    sessions_lost: int
    killed: frozenset[str]
    retained: Mapping[str, str]
    """Retained messages by topic, before the cameras ended."""
    scraped: Scraped
    ended: tuple[Ended, ...]
    usage: Mapping[str, Usage]
