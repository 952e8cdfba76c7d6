"""What a run of a fleet came to: the JSON schema, and how it is made of what was seen."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from edge_seg_bench.fleet.observed import Observed, Outage, Restart
from edge_seg_bench.fleet.plan import FPS, WATCHED, device_name, raised_by
from edge_seg_bench.fleet.receiver import Arrival
from edge_seg_bench.fleet.retained import wrong_retained
from edge_seg_bench.fleet.usage import Usage
from edge_seg_bench.fleet.verdict import Delays, delays, first_arrivals, judge
from edge_seg_bench.machine import describe_machine
from edge_seg_bench.recording import Recorded, Strict

_BINS = 150
_BEFORE_S = 1.0
"""What was raised so shortly before the broker went may have been on its way."""
_MOST_NAMED = 5


class OutageRow(Strict):
    """One restart of the broker."""

    by: Restart
    at_s: float
    gone_s: float
    back_after_s: float | None
    """From the broker's start until the last camera was online again; None when one never was."""
    delays: Delays | None
    """Of the events raised from one second before the broker went until all cameras were back."""


class Bin(Strict):
    """Some seconds of the run."""

    at_s: float
    """Where they end."""
    planned: int
    """Events that were to be raised in them."""
    arrived: int
    """Events that arrived in them for the first time."""
    longest_delay_s: float | None
    """Of those."""


class FleetReport(Recorded):
    """The file that `python -m edge_seg_bench.fleet` writes."""

    seed: int
    minutes: float
    cameras: int
    processes: int
    results_per_second: int
    """Of each camera."""
    rules: tuple[str, ...]
    planned: int
    arrived: int
    lost: int
    unraised: int
    """Planned events that are not in the cameras' own alerts.jsonl."""
    unplanned: int
    duplicates: int
    out_of_order: int
    still_waiting: int
    """Events that a camera still had in its outbox in the end."""
    sessions_lost: int
    """How often the broker had forgotten the receiver."""
    quiet: Delays | None
    """Delays outside the outages."""
    outages: tuple[OutageRow, ...]
    killed: int
    wrong_retained: tuple[str, ...]
    seen_up: int
    """Cameras that Prometheus reached."""
    failed_scrapes: int
    """Of cameras that were not killed."""
    reported_down: int
    """Cameras for which the rule CameraDown fires."""
    wrongly_down: int
    """Killed cameras that Prometheus does not report, and others that it does."""
    miscounted: int
    """Cameras whose count of raised alerts, in Prometheus, is not that of the plan; killed ones are left out."""
    latest_picture_s: float
    """By how much a picture was made too late at most."""
    usage: dict[str, Usage]
    bins: tuple[Bin, ...]

    @property
    def missed(self) -> tuple[str, ...]:
        """One sentence for each target that was missed."""
        stuck = sum(outage.back_after_s is None for outage in self.outages)
        wrong = "; ".join(self.wrong_retained[:_MOST_NAMED])
        checks = (
            (not self.lost, f"{self.lost} of {self.planned} events were lost"),
            (not self.unraised, f"{self.unraised} of {self.planned} planned events were never raised"),
            (not self.unplanned, f"{self.unplanned} events arrived that nobody planned"),
            (not self.out_of_order, f"{self.out_of_order} events arrived after a later one of their camera"),
            (not self.still_waiting, f"{self.still_waiting} events still wait in the cameras"),
            (not stuck, f"after {stuck} restarts of the broker not every camera came back"),
            (not self.wrong_retained, f"{len(self.wrong_retained)} retained messages are wrong: {wrong}"),
            (self.seen_up == self.cameras, f"Prometheus saw {self.seen_up} of {self.cameras} cameras up"),
            (not self.wrongly_down, f"CameraDown is wrong on {self.wrongly_down} cameras; {self.killed} were killed"),
            (not self.miscounted, f"Prometheus has other counts of alerts for {self.miscounted} cameras"),
        )
        return tuple(sentence for met, sentence in checks if not met)


def make_report(observed: Observed) -> FleetReport:
    """Judge a run."""
    settings, seen = observed.settings, observed.scraped
    verdict, first = judge(observed.planned, observed.arrivals), first_arrivals(observed.arrivals)
    cameras = {device_name(number) for number in range(settings.cameras)}
    windows = [_window(outage, observed.ended_at) for outage in observed.outages]
    quiet = [item for item in first if not any(start <= item.raised_at <= end for start, end in windows)]
    return FleetReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        machine=describe_machine(),
        seed=settings.seed,
        minutes=settings.seconds / 60,
        cameras=settings.cameras,
        processes=observed.processes,
        results_per_second=FPS,
        rules=tuple(watched.rule for watched in WATCHED),
        planned=len(observed.planned),
        arrived=len(first),
        lost=len(verdict.lost),
        unraised=len(observed.planned - observed.journalled),
        unplanned=verdict.unplanned,
        duplicates=verdict.duplicates,
        out_of_order=verdict.out_of_order,
        still_waiting=sum(ended.waiting for ended in observed.ended),
        sessions_lost=observed.sessions_lost,
        quiet=delays(quiet),
        outages=tuple(_outage_row(observed, outage, first) for outage in observed.outages),
        killed=len(observed.killed),
        wrong_retained=tuple(
            wrong_retained(observed.retained, observed.planned, cameras, observed.killed, observed.ended_at)
        ),
        seen_up=len(seen.ever_up),
        failed_scrapes=seen.failed_scrapes,
        reported_down=len(seen.reported_down),
        wrongly_down=len(observed.killed ^ seen.reported_down),
        miscounted=_miscounted(observed, cameras),
        latest_picture_s=max(ended.latest_s for ended in observed.ended),
        usage=dict(observed.usage),
        bins=tuple(_bins(observed, first)),
    )


def _window(outage: Outage, ended_at: float) -> tuple[float, float]:
    """Return from when to when what is raised may be delayed by an outage."""
    return outage.gone_at - _BEFORE_S, ended_at if outage.back_at is None else outage.back_at


def _outage_row(observed: Observed, outage: Outage, first: Sequence[Arrival]) -> OutageRow:
    start, end = _window(outage, observed.ended_at)
    return OutageRow(
        by=outage.by,
        at_s=outage.gone_at - observed.started_at,
        gone_s=outage.started_at - outage.gone_at,
        back_after_s=None if outage.back_at is None else outage.back_at - outage.started_at,
        delays=delays([item for item in first if start <= item.raised_at <= end]),
    )


def _miscounted(observed: Observed, cameras: set[str]) -> int:
    planned = raised_by(observed.planned, observed.killed)
    return sum(planned[name] != observed.scraped.raised.get(name, 0) for name in cameras - observed.killed)


def _bins(observed: Observed, first: Sequence[Arrival]) -> Iterator[Bin]:
    arrived = [(item.arrived_at - observed.started_at, item.arrived_at - item.raised_at) for item in first]
    width_s = max(observed.settings.seconds, *(at_s for at_s, _ in arrived)) / _BINS
    planned = Counter(math.ceil(event.frame / FPS / width_s) for event in observed.planned)
    for number in range(1, _BINS + 1):
        delays_s = [delay_s for at_s, delay_s in arrived if math.ceil(at_s / width_s) == number]
        yield Bin(
            at_s=round(number * width_s, 2),
            planned=planned[number],
            arrived=len(delays_s),
            longest_delay_s=round(max(delays_s), 3) if delays_s else None,
        )
