"""All that takes part in a run: started together, ended together."""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.fleet.broker import Access, open_broker
from edge_seg_bench.fleet.driver import DriverSettings
from edge_seg_bench.fleet.drivers import Driver, split_cameras
from edge_seg_bench.fleet.observed import FleetSettings
from edge_seg_bench.fleet.plan import device_name
from edge_seg_bench.fleet.prometheus import Prometheus, write_config
from edge_seg_bench.fleet.receiver import Receiver
from edge_seg_bench.fleet.schedule import frames_of
from edge_seg_bench.mosquitto import Mosquitto
from edge_seg_bench.waiting import wait_until

_PER_PROCESS = 50
_STARTS_WITHIN_S = 120.0


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


@contextmanager
def open_stage(folder: Path, settings: FleetSettings, announce: Callable[[str], None]) -> Generator[Stage]:
    """Start everything in an empty folder, and wait until every camera is online; end it all in the end.

    Raises:
        BenchmarkError: something is not installed, or does not start.
    """
    with ExitStack() as stack:
        names = [device_name(number) for number in range(settings.cameras)]
        broker, access = open_broker(folder, settings.config, names)
        stack.callback(broker.close)
        receiver = Receiver(access)
        stack.callback(receiver.close)
        announce(f"{settings.cameras} cameras start")
        drivers, token = list[Driver](), secrets.token_hex(16)
        for first, count in split_cameras(settings.cameras, settings.doomed, _PER_PROCESS):
            asked = DriverSettings(
                seed=settings.seed,
                first=first,
                count=count,
                frames=frames_of(settings, doomed=first < settings.doomed),
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
