"""A simulated camera: the alerts, the telemetry and the live page of `edge-seg camera`, over planned pictures."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_seg.alerts import parse_rules
from edge_seg.alerts.session import Alerts
from edge_seg.alerts.settings import AlertSettings
from edge_seg.model_identity import ModelIdentity
from edge_seg.result import Result
from edge_seg.sinks import overlay_painter
from edge_seg.sources.frame import Frame
from edge_seg.telemetry import Board, Telemetry
from edge_seg.web.address import Address
from edge_seg.web.live_page import LivePage
from edge_seg_bench.fleet.broker import Access, password_of
from edge_seg_bench.fleet.pictures import CLASSES, Scene, photograph
from edge_seg_bench.fleet.plan import FPS, REGION, WATCHED, device_name, plan_camera

MODEL = ModelIdentity("planned", "0" * 64, version=1)
"""Stands for the model that a simulated camera has not."""


class PlannedPictures:
    """Blank pictures without end, whose time is that of their index: however late one is, it raises the same."""

    live = False
    frame_count = None
    fps = float(FPS)

    def __init__(self, name: str) -> None:
        self.name = name

    def __iter__(self) -> Iterator[Frame]:
        picture, index = photograph(), 0
        while True:
            yield Frame(picture, index, time.time(), f"{self.name}_{index:06d}")
            index += 1

    def close(self) -> None:
        """Do nothing: there is no camera."""


class SimulatedCamera:
    """One camera of the fleet."""

    def __init__(
        self,
        number: int,
        *,
        seed: int,
        frames: int,
        folder: Path,
        broker: Access,
        token: str,
        report: Callable[[str], None],
    ) -> None:
        """Open every way out; the first picture comes with `step`.

        Args:
            number: which camera of the fleet.
            seed: of the plan.
            frames: all incidents are over before this one.
            folder: of the alerts of the whole fleet.
            broker: where it is.
            token: of the live page.
            report: told what fails and recovers.
        """
        self.name = device_name(number)
        names = [item.name for item in CLASSES]
        source = PlannedPictures(self.name)
        self._frames = iter(source)
        self._scene = Scene(plan_camera(seed, number, frames), random.Random(f"{seed} {number} shares"))
        temperature_c = 45.0 + number % 20
        telemetry = Telemetry(names, model=MODEL, board=Board(lambda: temperature_c, lambda: ()))
        settings = AlertSettings(
            rules=parse_rules([watched.rule for watched in WATCHED], [REGION]),
            folder=folder / self.name,
            device=self.name,
            mqtt=(f"mqtts://{self.name}@localhost:{broker.port}?discovery=off",),
            mqtt_password=password_of(self.name),
            ca_file=broker.ca_file,
        )
        self._alerts = Alerts(settings, source, CLASSES, overlay_painter(CLASSES), report, telemetry)
        self._page = LivePage(Address("127.0.0.1", 0), CLASSES, telemetry, token=token, title=self.name)
        self._observers = (self._alerts.alarm.observe, telemetry.observe)

    @property
    def url(self) -> str:
        """Of the live page."""
        return self._page.url

    @property
    def waiting(self) -> int:
        """How many events some receiver has not confirmed."""
        return sum(self._alerts.waiting.values())

    def step(self) -> None:
        """See the next picture."""
        frame = next(self._frames)
        result = Result(frame, self._scene.segmentation(frame.index), fps=float(FPS))
        for observe in self._observers:
            observe(result)
        self._page.write(result)

    def close(self) -> None:
        """End as a camera does that is asked to."""
        self._page.close()
        self._alerts.close()
