"""The bench on which the camera is hurt: its stream, its receivers, its disk, a viewer, and every fault there is."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_seg.extras import require_module
from edge_seg_bench.endurance.camera import CameraProcess
from edge_seg_bench.endurance.fault_disk import SmallDisk, may_mount
from edge_seg_bench.endurance.fault_receivers import TOPIC, Broker, Webhook
from edge_seg_bench.endurance.fault_stream import STREAM_FAULTS, FaultyStream, Mode, shaken
from edge_seg_bench.endurance.viewer import Viewer, frames_so_far
from edge_seg_bench.ports import free_port

OBJECT, NOTHING = "object", "nothing"
RULE = "there: pet > 20% for 0.5s hysteresis 10%"


@dataclass(frozen=True)
class Fault:
    """How one fault is made and ended, and a number that grows while what it breaks works."""

    begin: Callable[[], object]
    end: Callable[[], object]
    progress: Callable[[], float]


@dataclass(frozen=True)
class Bench:
    """A camera and all it is connected with."""

    camera: CameraProcess
    stream: FaultyStream
    broker: Broker
    webhook: Webhook
    viewer: Viewer
    port: int
    files: Path
    """The folder of the camera's files."""
    disk: SmallDisk | None

    def frames(self) -> float:
        """Frames that went through the model."""
        return float(frames_so_far(self.port) or 0)

    def stream_faults(self) -> dict[str, Fault]:
        """Return the faults of the stream by name."""
        return {f"stream {mode}": self._stream_fault(mode) for mode in STREAM_FAULTS}

    def outlet_faults(self) -> dict[str, Fault]:
        """Return the faults of what the camera writes to or serves, by name."""
        faults = {
            "broker killed": Fault(self.broker.kill, self.broker.start, lambda: self.broker.messages),
            "webhook failing": self._webhook_fault("failing"),
            "webhook silent": self._webhook_fault("silent"),
            "viewer killed": Fault(self.viewer.kill, lambda: None, lambda: self.viewer.received_bytes),
            "viewer asleep": Fault(self.viewer.sleep, self.viewer.wake, lambda: self.viewer.received_bytes),
        }
        if self.disk is not None:
            faults["disk full"] = Fault(self.disk.fill, self.disk.empty, self._last_written)
        return faults

    def _stream_fault(self, mode: Mode) -> Fault:
        return Fault(lambda: self._set_stream(mode), lambda: self._set_stream("live"), self.frames)

    def _set_stream(self, mode: Mode) -> None:
        self.stream.mode = mode

    def _webhook_fault(self, mode: str) -> Fault:
        return Fault(
            lambda: setattr(self.webhook, "mode", mode), lambda: setattr(self.webhook, "mode", "well"), self.frames
        )

    def _last_written(self) -> float:
        times = [path.stat().st_mtime for path in self.files.glob("events*.jsonl") if path.exists()]
        return max(times, default=0.0)


@contextmanager
def open_bench(folder: Path, seed: int) -> Generator[Bench]:
    """Set the bench up in an empty folder, and take it down.

    Raises:
        MissingExtraError, BenchmarkError: something is absent that this needs.
    """
    with ExitStack() as stack:
        broker = Broker(folder)
        stack.callback(broker.close)
        webhook = Webhook()
        stack.callback(webhook.close)
        stream = FaultyStream(_scenes(), NOTHING, seed)
        stack.callback(stream.close)
        disk, files = _make_disk(folder / "disk", stack)
        port = free_port()
        camera = stack.enter_context(
            CameraProcess(_arguments(stream, broker, webhook, files, port), folder / "log.txt")
        )
        viewer = Viewer(port)
        stack.callback(viewer.close)
        yield Bench(camera, stream, broker, webhook, viewer, port, files, disk)


def _make_disk(folder: Path, stack: ExitStack) -> tuple[SmallDisk | None, Path]:
    if not may_mount():
        folder.mkdir()
        return None, folder
    disk = SmallDisk(folder)
    stack.callback(disk.close)
    return disk, folder


def _scenes() -> dict[str, list[bytes]]:
    require_module("skimage", extra="quickstart", purpose="the picture that raises alerts")
    from skimage.data import chelsea

    grey = np.full((240, 320, 3), 120, np.uint8)
    return {OBJECT: shaken(np.asarray(chelsea(), dtype=np.uint8)), NOTHING: shaken(grey)}


def _arguments(stream: FaultyStream, broker: Broker, webhook: Webhook, files: Path, port: int) -> list[str]:
    return [
        *("--source", stream.url, "--retries", "forever", "--frozen-after", "2", "--serve", f"127.0.0.1:{port}"),
        *(
            "--out",
            str(files / "events.jsonl"),
            "--out",
            str(files / "overlay.mp4"),
            "--out",
            str(files / "shares.csv"),
        ),
        *("--rotate", "20s", "--keep-free", "8MB", "--when-full", "delete-oldest"),
        *("--alert", RULE, "--alerts", str(files / "alerts"), "--webhook", webhook.url),
        *("--mqtt", f"mqtt://127.0.0.1:{broker.port}/{TOPIC}", "--device-name", "faults"),
    ]
