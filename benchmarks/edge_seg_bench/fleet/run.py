"""A fleet, its broker, its watchers, and what is done to them."""

import os
import secrets
import signal
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.endurance.fault_bench import wait_until
from edge_seg_bench.fleet.broker import Access, open_broker
from edge_seg_bench.fleet.driver import DriverSettings
from edge_seg_bench.fleet.drivers import Driver, split_cameras
from edge_seg_bench.fleet.observed import FleetSettings, Observed, Outage, Restart
from edge_seg_bench.fleet.plan import FPS, PlannedEvent, device_name, plan_camera, planned_events, raised_by
from edge_seg_bench.fleet.prometheus import Prometheus, write_config
from edge_seg_bench.fleet.receiver import Receiver, read_arrival, read_retained
from edge_seg_bench.fleet.scraping import scraped, wait_until_told
from edge_seg_bench.fleet.usage import UsageMeter
from edge_seg_bench.mosquitto import Mosquitto

PER_PROCESS = 50
_KILL_AT = 0.75
_KILL_MARGIN_S = 2.0
_STARTS_WITHIN_S = 120.0
_BACK_WITHIN_S = 60.0  # a camera tries again after 30 s at the latest
_SETTLES_WITHIN_S = 60.0
_SIGNALS: Mapping[Restart, signal.Signals] = {Restart.TERM: signal.SIGTERM, Restart.KILL: signal.SIGKILL}


@dataclass(frozen=True)
class Stage:
    """All that runs."""

    settings: FleetSettings
    folder: Path
    broker: Mosquitto
    access: Access
    receiver: Receiver
    drivers: Sequence[Driver]
    prometheus: Prometheus

    @property
    def doomed(self) -> Driver:
        """The process that will be killed."""
        return self.drivers[0]


def run_fleet(folder: Path, settings: FleetSettings, announce: Callable[[str], None]) -> Observed:
    """Run once, in an empty folder.

    Raises:
        BenchmarkError: something is not installed, or does not start.
    """
    planned, killed = plan_fleet(settings), killed_cameras(settings)
    with _open_stage(folder, settings, announce) as stage:
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


def plan_fleet(settings: FleetSettings) -> set[PlannedEvent]:
    """Return every event that must arrive."""
    return {
        event
        for number in range(settings.cameras)
        for event in planned_events(
            device_name(number), plan_camera(settings.seed, number, _frames(settings, number < settings.doomed))
        )
    }


def killed_cameras(settings: FleetSettings) -> frozenset[str]:
    """Return the names of the cameras that are killed."""
    return frozenset(device_name(number) for number in range(settings.doomed))


def _frames(settings: FleetSettings, doomed: bool) -> int:
    seconds = settings.seconds * _KILL_AT - _KILL_MARGIN_S if doomed else settings.seconds
    return int(seconds * FPS)


@contextmanager
def _open_stage(folder: Path, settings: FleetSettings, announce: Callable[[str], None]) -> Generator[Stage]:
    with ExitStack() as stack:
        names = [device_name(number) for number in range(settings.cameras)]
        broker, access = open_broker(folder, settings.config, names)
        stack.callback(broker.close)
        receiver = Receiver(access)
        stack.callback(receiver.close)
        announce(f"{settings.cameras} cameras start")
        drivers, token = list[Driver](), secrets.token_hex(16)
        for first, count in split_cameras(settings.cameras, settings.doomed, PER_PROCESS):
            asked = DriverSettings(
                seed=settings.seed,
                first=first,
                count=count,
                frames=_frames(settings, first < settings.doomed),
                folder=folder / "alerts",
                broker_port=access.port,
                ca_file=access.ca_file,
                token=token,
            )
            drivers.append(Driver(asked, folder / f"{first}.log"))
            stack.callback(drivers[-1].close)
        pages = {name: url for driver in drivers for name, url in driver.pages().items()}
        prometheus = Prometheus(folder, write_config(folder, settings.config, pages, token))
        stack.callback(prometheus.close)
        if wait_until(lambda: len(receiver.online(0.0)) == settings.cameras, _STARTS_WITHIN_S) is None:
            raise BenchmarkError(f"{len(receiver.online(0.0))} of {settings.cameras} cameras came online")
        yield Stage(settings, folder, broker, access, receiver, drivers, prometheus)


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
    acts.append((settings.seconds * _KILL_AT, lambda: _kill(stage, planned, announce)))
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
    stage.broker.start()
    started_at = time.time()
    back_s = wait_until(lambda: len(stage.receiver.online(started_at)) == stage.settings.cameras, _BACK_WITHIN_S)
    announce(f"{len(stage.receiver.online(started_at))} cameras are online again")
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
