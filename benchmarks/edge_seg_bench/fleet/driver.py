"""A process that many simulated cameras live in: `python -m edge_seg_bench.fleet.driver`.

It reads its settings, one line of JSON, from its standard input; says in a line of JSON when its cameras are open;
makes pictures from the line "go" until the input ends; and writes another line of JSON then.
"""

import itertools
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2

from edge_seg_bench.fleet.broker import Access
from edge_seg_bench.fleet.camera import SimulatedCamera
from edge_seg_bench.fleet.plan import FPS
from edge_seg_bench.recording import Strict


class DriverSettings(Strict):
    """What a driver is to do."""

    seed: int
    first: int
    """The number of its first camera."""
    count: int
    frames: int
    """All incidents of its cameras are over before this one."""
    folder: Path
    broker_port: int
    ca_file: Path
    token: str
    """Of the live pages."""


class Opened(Strict):
    """What a driver says when its cameras are open."""

    pages: dict[str, str]
    """URL of the live page by the camera's name."""


class Ended(Strict):
    """What a driver says at its end."""

    frames: int
    """That each camera has seen."""
    latest_s: float
    """By how much a picture came too late at most."""
    waiting: int
    """Events that some receiver has not confirmed."""


def drive(settings: DriverSettings) -> None:
    """Run all cameras."""
    cv2.setNumThreads(1)  # the cameras are the parallelism
    cameras = [
        SimulatedCamera(
            settings.first + index,
            seed=settings.seed,
            frames=settings.frames,
            folder=settings.folder,
            broker=Access(settings.broker_port, settings.ca_file),
            token=settings.token,
            report=_report,
        )
        for index in range(settings.count)
    ]
    _say(Opened(pages={camera.name: camera.url for camera in cameras}))
    sys.stdin.readline()
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(ended,), daemon=True).start()
    frames, latest_s = _show(cameras, ended)
    waiting = sum(camera.waiting for camera in cameras)
    with ThreadPoolExecutor(len(cameras)) as pool:
        list(pool.map(SimulatedCamera.close, cameras))
    _say(Ended(frames=frames, latest_s=latest_s, waiting=waiting))


def _show(cameras: Sequence[SimulatedCamera], ended: threading.Event) -> tuple[int, float]:
    """Give every camera its pictures, one camera after the other; return how many, and the greatest delay."""
    started_s, latest_s = time.monotonic(), 0.0
    for frame in itertools.count():
        for number, camera in enumerate(cameras):
            due_s = started_s + (frame + number / len(cameras)) / FPS
            if ended.wait(max(due_s - time.monotonic(), 0.0)):
                return frame, latest_s
            latest_s = max(latest_s, time.monotonic() - due_s)
            camera.step()
    raise AssertionError  # itertools.count has no end


def _wait_for_the_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def _say(message: Strict) -> None:
    sys.stdout.write(f"{message.model_dump_json()}\n")
    sys.stdout.flush()


def _report(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    drive(DriverSettings.model_validate_json(sys.stdin.readline()))
