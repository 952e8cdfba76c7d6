"""A camera of real models that looks for new ones on a loopback server, and whose every frame is compared."""

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_seg.errors import ModelError
from edge_seg.loading import Loading
from edge_seg.pipeline import run_pipeline
from edge_seg.result import Result
from edge_seg.runtimes import DEFAULT_RUNTIME
from edge_seg.segmenter import Segmenter
from edge_seg.shipped import shipped_model
from edge_seg.sources import Frame
from edge_seg.updates.golden import make_golden
from edge_seg.updates.limits import Limits
from edge_seg.updates.manifest import Golden, Manifest
from edge_seg.updates.settings import UpdateSettings
from edge_seg.updates.starting import open_updates
from edge_seg.updates.store import ModelStore
from edge_seg.updates.updater import Updater
from update_fixtures import KEY, ModelWeb

FAST, OTHER, SLOW = "pets-fast", "pets", "pets-accurate"
"""Shipped models of the same classes; the last takes seven times as long as the first."""

LETTERS = {"1": FAST, "2": OTHER, "3": SLOW}


def path_of(name: str) -> Path:
    try:
        return shipped_model(name)
    except ModelError as error:
        pytest.skip(str(error))


@functools.cache
def loaded(name: str) -> Segmenter:
    return Segmenter.load(path_of(name))


@functools.cache
def pictures() -> tuple[np.ndarray, ...]:
    """Parts of a photograph on which the models differ."""
    from skimage import data

    cat = data.chelsea()
    return tuple(np.ascontiguousarray(cat[4 * step : 4 * step + 280, 18 * step : 18 * step + 360]) for step in range(6))


@functools.cache
def class_maps(name: str) -> tuple[np.ndarray, ...]:
    return tuple(loaded(name).segment(picture).class_map for picture in pictures())


@functools.cache
def golden(name: str) -> Golden:
    return make_golden(loaded(name), pictures()[0])


def publish(web: ModelWeb, name: str, version: int, **fields: Any) -> Manifest:
    """Offer a shipped model as a version of the model `pets`."""
    values = {"classes": class_names(), "golden": golden(name), "name": "pets"}
    return web.publish(path_of(name).read_bytes(), version, **{**values, **fields})


def class_names() -> tuple[str, ...]:
    return tuple(item.name for item in loaded(FAST).classes)


def settings(web: ModelWeb, **changes: Any) -> UpdateSettings:
    values: dict[str, Any] = {
        "url": web.url,
        "key": KEY.public_key(),
        "device": "raspberry-pi-5",
        "loading": Loading(runtime=DEFAULT_RUNTIME),
        "every_s": 0.2,
        "limits": Limits(keep_free_bytes=0),
        "probation_frames": 30,
    }
    return UpdateSettings(**{**values, **changes})


def have(web: ModelWeb, folder: Path, name: str = FAST, version: int = 1) -> Path:
    """Put a version on a new device."""
    publish(web, name, version)
    store = ModelStore(folder, pytest.fail)
    candidate = settings(web).fetch(store, None)
    assert candidate is not None
    store.accept(candidate)
    store.confirm()
    store.close()
    return folder


@dataclass
class EndlessFile:
    """Gives frames until `stop`; like those of a file, none may be left out."""

    stop: threading.Event
    name: str = "file"
    live: bool = False
    fps: float | None = None
    frame_count: int | None = None

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while not self.stop.wait(0.01):
            yield Frame(pictures()[index % len(pictures())], index, time.time(), f"f{index}")
            index += 1

    def close(self) -> None:
        pass


@dataclass
class UpdatingCamera:
    updater: Updater
    sentences: list[str]
    seen: list[str] = field(default_factory=list)
    """A letter per frame, as LETTERS has them: whose class map it is; ? for nobody's."""
    indices: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    def observe(self, result: Result) -> None:
        self.indices.append(result.frame.index)
        self.seen.append(self._whose(result))

    def wait_for(self, words: str) -> None:
        wait_until(lambda: any(words in sentence for sentence in self.sentences), lambda: f"{words}: {self.sentences}")

    def wait_for_frames(self, count: int) -> None:
        until = len(self.seen) + count
        wait_until(lambda: len(self.seen) >= until, lambda: f"{len(self.seen)} of {until} frames")

    @property
    def runs(self) -> str:
        """The letters in turn, each once per row of equal ones."""
        return "".join(
            letter for letter, before in zip(self.seen, [None, *self.seen], strict=False) if letter != before
        )

    def _whose(self, result: Result) -> str:
        picture = result.frame.index % len(pictures())
        found = result.segmentation.class_map
        return next((key for key, name in LETTERS.items() if np.array_equal(found, class_maps(name)[picture])), "?")


@contextmanager
def updating_camera(asked: UpdateSettings, folder: Path, **options: Any) -> Iterator[UpdatingCamera]:
    """Run a camera until the block ends; then every frame must have come once and in order."""
    for name in LETTERS.values():
        class_maps(name)
    sentences: list[str] = []
    stop = threading.Event()
    with open_updates(asked, folder, sentences.append, **options) as updater:
        camera = UpdatingCamera(updater, sentences)
        updater.on_outcome = camera.outcomes.append
        updater.start()
        thread = threading.Thread(
            target=run_pipeline,
            args=(EndlessFile(stop), updater.slot, []),
            kwargs={"observers": [updater.observe, camera.observe], "stop": stop},
        )
        thread.start()
        try:
            yield camera
        finally:
            stop.set()
            thread.join(timeout=20)
    assert not thread.is_alive()
    assert camera.indices == list(range(len(camera.indices)))


def wait_until(holds, what=lambda: "it", seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what()} did not happen in time"
        time.sleep(0.01)
