"""What arrived, held against what was planned."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from edge_seg_bench.fleet.plan import PlannedEvent
from edge_seg_bench.fleet.receiver import Arrival
from edge_seg_bench.recording import Strict


@dataclass(frozen=True)
class Verdict:
    """How the arrivals differ from the plan."""

    lost: tuple[PlannedEvent, ...]
    """Planned, and not arrived."""
    unplanned: int
    """Events that nobody planned, or that were raised twice under two ids."""
    duplicates: int
    """Copies of an event that had arrived already, by its id."""
    out_of_order: int
    """Events that arrived after a later one of the same camera."""


class Delays(Strict):
    """Seconds from the picture that raised an event to its arrival."""

    events: int
    median_s: float
    p99_s: float
    longest_s: float


def judge(planned: Collection[PlannedEvent], arrivals: Sequence[Arrival]) -> Verdict:
    """Compare the plan with what arrived, in the order of arrival."""
    first = first_arrivals(arrivals)
    expected, found = set(planned), {arrival.event for arrival in first}
    return Verdict(
        lost=tuple(sorted(expected - found)),
        unplanned=len(first) - len(expected & found),
        duplicates=len(arrivals) - len(first),
        out_of_order=_out_of_order(first),
    )


def first_arrivals(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Leave out the copies of events that had arrived already."""
    by_id: dict[str, Arrival] = {}
    for arrival in arrivals:
        by_id.setdefault(arrival.event_id, arrival)
    return list(by_id.values())


def delays(arrivals: Sequence[Arrival]) -> Delays | None:
    """Return the delays of first arrivals; None of none."""
    if not arrivals:
        return None
    seconds = [arrival.arrived_at - arrival.raised_at for arrival in arrivals]
    return Delays(
        events=len(seconds),
        median_s=float(np.median(seconds)),
        p99_s=float(np.percentile(seconds, 99)),
        longest_s=max(seconds),
    )


def _out_of_order(first: Sequence[Arrival]) -> int:
    latest: dict[str, int] = {}
    count = 0
    for arrival in first:
        device, frame = arrival.event.device, arrival.event.frame
        count += frame < latest.get(device, 0)
        latest[device] = max(frame, latest.get(device, 0))
    return count
