"""A run of a fleet: what is done to it, and what is seen of it."""

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from edge_seg_bench.fleet.observed import FleetSettings, Observed, Outage, Restart
from edge_seg_bench.fleet.plan import PlannedEvent, raised_by
from edge_seg_bench.fleet.receiver import read_arrival, read_retained
from edge_seg_bench.fleet.schedule import KILL_AT, killed_cameras, plan_fleet
from edge_seg_bench.fleet.scraping import scraped, wait_until_told
from edge_seg_bench.fleet.stage import Stage, open_stage
from edge_seg_bench.fleet.usage import UsageMeter
from edge_seg_bench.waiting import wait_until

_BACK_WITHIN_S = 60.0  # a camera tries again after 30 s at the latest
_SETTLES_WITHIN_S = 60.0
_SIGNALS: Mapping[Restart, signal.Signals] = {Restart.TERM: signal.SIGTERM, Restart.KILL: signal.SIGKILL}


def run_fleet(folder: Path, settings: FleetSettings, announce: Callable[[str], None]) -> Observed:
    """Run once, in an empty folder.

    Raises:
        BenchmarkError: something is not installed, or does not start.
    """
    planned, killed = plan_fleet(settings), killed_cameras(settings)
    with open_stage(folder, settings, announce) as stage:
        meter = UsageMeter(lambda: _processes(stage))
        started_at = time.time()
        for driver in stage.drivers:
            driver.go()
        outages = _play(stage, planned, started_at, announce)
        announce("waiting for the last events")
        wait_until(lambda: stage.receiver.events() >= planned, _SETTLES_WITHIN_S)
        announce("waiting for Prometheus")
        wait_until_told(stage.prometheus, killed, raised_by(planned, killed))
        retained = read_retained(stage.access)
        seen = scraped(stage.prometheus, killed, time.time() - started_at)
        usage = meter.stop()
        ended_at = time.time()
        ended = tuple(driver.end() for driver in stage.drivers[1:])
        return Observed(
            settings=settings,
            processes=len(stage.drivers),
            started_at=started_at,
            ended_at=ended_at,
            planned=frozenset(planned),
            arrivals=tuple(stage.receiver.arrivals),
            journalled=frozenset(_journalled(stage)),
            outages=tuple(outages),
            sessions_lost=stage.receiver.sessions_lost,
            killed=killed,
            retained=retained,
            scraped=seen,
            ended=ended,
            usage=usage,
        )


def _play(
    stage: Stage, planned: Collection[PlannedEvent], started_at: float, announce: Callable[[str], None]
) -> list[Outage]:
    """Do to the fleet what is to be done, until the last incident is over; return the outages."""
    settings, outages = stage.settings, list[Outage]()

    def restart(by: Restart) -> None:
        outages.append(_restart(stage, by, announce))

    acts: list[tuple[float, Callable[[], None]]] = [
        (settings.seconds * part, partial(restart, by)) for part, by in _spread(settings.restarts)
    ]
    acts.append((settings.seconds * KILL_AT, lambda: _kill(stage, planned, announce)))
    acts.append((settings.seconds, lambda: None))
    for at_s, act in sorted(acts, key=lambda item: item[0]):
        time.sleep(max(started_at + at_s - time.time(), 0.0))
        act()
    return outages


def _spread(restarts: Sequence[Restart]) -> list[tuple[float, Restart]]:
    return [(index / (len(restarts) + 1), by) for index, by in enumerate(restarts, start=1)]


def _restart(stage: Stage, by: Restart, announce: Callable[[str], None]) -> Outage:
    """Take the broker away and bring it back; wait until every camera is online again."""
    announce(f"the broker goes ({_SIGNALS[by].name})")
    gone_at = time.time()
    stage.broker.end(_SIGNALS[by])
    time.sleep(stage.settings.away_s)
    starts_at = time.time()  # a camera may be back before the broker is seen to answer
    stage.broker.start()
    started_at = time.time()
    back_s = wait_until(lambda: len(stage.receiver.online(starts_at)) == stage.settings.cameras, _BACK_WITHIN_S)
    announce(f"{len(stage.receiver.online(starts_at))} cameras are online again")
    return Outage(by, gone_at, started_at, None if back_s is None else started_at + back_s)


def _kill(stage: Stage, planned: Collection[PlannedEvent], announce: Callable[[str], None]) -> None:
    """Kill some cameras, once all that was planned for them arrived: what a camera has only seen dies with it."""
    doomed = killed_cameras(stage.settings)
    theirs = {event for event in planned if event.device in doomed}
    wait_until(lambda: stage.receiver.events() >= theirs, _SETTLES_WITHIN_S)
    announce(f"{len(doomed)} cameras are killed")
    stage.doomed.kill()


def _processes(stage: Stage) -> dict[str, list[int]]:
    return {
        "mosquitto": [] if stage.broker.pid is None else [stage.broker.pid],
        "Prometheus": [stage.prometheus.pid],
        "cameras": [driver.pid for driver in stage.drivers],
        "receiver": [os.getpid()],
    }


def _journalled(stage: Stage) -> Iterator[PlannedEvent]:
    for path in (stage.folder / "alerts").glob("*/alerts.jsonl"):
        for line in path.read_bytes().splitlines():
            yield read_arrival(line, 0.0).event
