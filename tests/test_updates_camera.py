"""Models over the air into a camera that runs: what is exchanged, refused and taken back, and that no frame is lost."""

import gc
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_seg.errors import ModelError, UpdateError
from edge_seg.loading import Loading
from edge_seg.model_identity import ModelIdentity
from edge_seg.pipeline import run_pipeline
from edge_seg.segmenter import PreparedImage, RawOutput, Segmentation, Segmenter
from edge_seg.updates.limits import Limits
from edge_seg.updates.slowest import Slowest
from edge_seg.updates.starting import open_updates
from edge_seg.updates.store import ModelStore
from untrustworthy_models import crashing, enormous, hanging
from update_fixtures import OTHER_KEY, ModelWeb, fill_disk, model_web, trickling
from updating_camera import (
    FAST,
    OTHER,
    SLOW,
    EndlessFile,
    class_maps,
    golden,
    have,
    loaded,
    path_of,
    publish,
    settings,
    updating_camera,
    wait_until,
)

MODEL, MANIFEST = "/fire.tflite", "/fire.tflite.manifest.json"


@pytest.fixture
def web() -> Iterator[ModelWeb]:
    with model_web() as server:
        yield server


def test_the_models_differ_on_every_picture() -> None:
    for one, other, third in zip(class_maps(FAST), class_maps(OTHER), class_maps(SLOW), strict=True):
        assert not np.array_equal(one, other)
        assert not np.array_equal(other, third)
        assert not np.array_equal(one, third)


def test_a_new_version_replaces_the_one_that_runs_between_two_frames(web: ModelWeb, tmp_path: Path) -> None:
    have(web, tmp_path)
    told: list[ModelIdentity | None] = []
    with updating_camera(settings(web), tmp_path) as camera:
        camera.updater.slot.on_change = lambda model: told.append(model.identity)
        camera.wait_for_frames(40)
        published = publish(web, OTHER, 2)
        wait_until(lambda: camera.outcomes == ["accepted"])
        camera.wait_for_frames(20)
        publish(web, SLOW, 3)
        wait_until(lambda: len(camera.outcomes) == 2)
    assert camera.runs == "123"
    assert told[0] == ModelIdentity("pets", published.sha256, 2)
    assert camera.sentences == [
        "pets version 2 runs now; pets version 1 stands by until it has proved itself",
        "pets version 3 runs now; pets version 2 stands by until it has proved itself",
    ]
    with open_updates(settings(web), tmp_path, pytest.fail) as updater:
        assert updater.slot.current.identity == told[1]


def offer(web: ModelWeb, model: bytes, **fields: Any) -> None:
    """Offer bytes as version 2, described as a model of pets."""
    web.publish(model, 2, **{"classes": CLASSES, "golden": golden(OTHER), "name": "pets", **fields})


def wrong_signature(web: ModelWeb) -> None:
    publish(web, OTHER, 2, key=OTHER_KEY)


def truncated(web: ModelWeb) -> None:
    publish(web, OTHER, 2)
    web.files[MODEL] = web.files[MODEL][:-1000]


def downgrade(web: ModelWeb) -> None:
    publish(web, OTHER, 1)


def trickle(web: ModelWeb) -> None:
    publish(web, OTHER, 2)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(web.files[MODEL])}\r\n\r\n"
    web.answers[MODEL] = [trickling(head.encode())]


def silence(web: ModelWeb) -> None:
    web.files.clear()


def crash_without_etag(web: ModelWeb) -> None:
    offer(web, crashing())
    web.answers[MANIFEST] = [lambda request: request.answer(200, web.files[MANIFEST])]


CLASSES = ("pet", "background", "border")
SLUGGISH = Slowest("1.5x", times=1.5)
REFUSALS: dict[str, tuple[Callable[[ModelWeb], object], dict[str, Any], str]] = {
    "a wrong signature": (wrong_signature, {}, "not signed by the key that is trusted here"),
    "a truncated file": (truncated, {}, "bytes that were signed"),
    "another model of the same version": (downgrade, {}, "offers another model as version 1"),
    "no manifest": (silence, {}, "answers 404 Not Found for the manifest"),
    "a trickle": (trickle, {"limits": Limits(window_s=0.5, keep_free_bytes=0)}, "bytes a second"),
    "a full disk": (lambda web: publish(web, OTHER, 2), {"limits": Limits(keep_free_bytes=2**60)}, "no room"),
    "other classes": (
        lambda web: publish(web, OTHER, 2, classes=("background", "fire")),
        {},
        "with the classes background, fire, but",
    ),
    "another device class": (
        lambda web: publish(web, OTHER, 2, device_class="jetson"),
        {},
        "for jetson, and this device is raspberry-pi-5",
    ),
    "a model that crashes the runtime": (
        lambda web: offer(web, crashing()),
        {},
        "pets version 2 is refused: ",
    ),
    "a model that crashes, of a server that does not know what it gave before": (
        crash_without_etag,
        {},
        "pets version 2 is refused: ",
    ),
    "a model that hangs": (
        lambda web: offer(web, hanging()),
        {"trial_limit_s": 2.0},
        "pets version 2 is refused: its trial did not end within 2 s",
    ),
    "a model too large for the memory": (lambda web: offer(web, enormous()), {}, "pets version 2 is refused: "),
    "no model": (lambda web: offer(web, b"\0" * 5000), {}, "refused: not a TFLite model"),
    "a file of other classes than signed": (
        lambda web: offer(web, path_of("trash").read_bytes()),
        {"loading": Loading(runtime="litert")},
        "refused: its file's classes are background, general bag",
    ),
    "a model that answers otherwise than signed": (
        lambda web: offer(web, path_of(FAST).read_bytes() + b"\0"),
        {},
        "refused: of its golden picture",
    ),
    "a model that is too slow for the user": (
        lambda web: publish(web, SLOW, 2),
        {"slowest": SLUGGISH},
        "pets version 2 is slower than allowed, and is tried again later: it would take",
    ),
    "a model that is slower than its manifest says": (
        lambda web: publish(web, SLOW, 2, slowest_ms=0.01),
        {},
        "ms where 0.0 ms are allowed",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_the_old_model_goes_on_and_the_cause_is_said_once(case: str, web: ModelWeb, tmp_path: Path) -> None:
    spoil, changes, words = REFUSALS[case]
    have(web, tmp_path)
    spoil(web)
    labelled = {"loading": Loading(runtime="litert", labels=CLASSES)}
    with updating_camera(settings(web, **{**labelled, **changes}), tmp_path) as camera:
        camera.wait_for(words)
        asked = len(web.asked_for(MANIFEST))
        wait_until(lambda: len(web.asked_for(MANIFEST)) >= asked + 2)
    assert len(camera.sentences) == 1
    assert camera.sentences[0].endswith("(pets version 1 goes on)")
    assert camera.sentences[0].isprintable()
    assert camera.runs == "1"
    assert camera.outcomes in (["failed"], ["refused"])
    with open_updates(settings(web), tmp_path, pytest.fail) as updater:
        assert updater.slot.current.identity.version == 1
        assert updater.slot.current.identity.sha256 == loaded(FAST).identity.sha256


class Spoilt:
    """A model that does in the camera, from the eleventh frame on, what its trial did not show."""

    def __init__(self, model: Segmenter, fault: str) -> None:
        self._model, self._fault, self._good = model, fault, iter(range(10))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def infer(self, prepared: PreparedImage) -> RawOutput:
        raw = self._model.infer(prepared)
        if self._fault == "infer" and next(self._good, None) is None:
            raise RuntimeError("Node number 3 (CONV_2D)\nfailed to invoke.")
        return replace(raw, invoke_ms=1000.0) if self._fault == "slow" else raw

    def finish(self, raw: RawOutput) -> Segmentation:
        if self._fault == "finish" and next(self._good, None) is None:
            raise ModelError("the model's single channel holds 0 to 7, so it is no probability")
        return self._model.finish(raw)


class SpoiltLoading(Loading):
    """Spoils version 2."""

    fault: str

    def load(self, model: Path, identity: ModelIdentity | None = None) -> Segmenter:
        segmenter = super().load(model, identity)
        spoil = identity is not None and identity.version == 2
        return Spoilt(segmenter, self.fault) if spoil else segmenter  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("infer", "it failed on a frame (Node number 3 (CONV_2D) failed to invoke.)"),
        ("finish", "it failed on a frame (the model's single channel holds 0 to 7, so it is no probability)"),
        ("slow", "it takes 1000.0 ms in the camera, and 500.0 ms are allowed"),
    ],
)
def test_a_model_that_fails_in_the_camera_is_taken_back_and_no_frame_is_lost(
    fault: str, reason: str, web: ModelWeb, tmp_path: Path
) -> None:
    have(web, tmp_path)
    publish(web, OTHER, 2)
    asked = settings(web, loading=SpoiltLoading(runtime="litert", fault=fault), slowest=Slowest("500ms", ms=500.0))
    with updating_camera(asked, tmp_path) as camera:
        camera.wait_for("is taken back")
        asked_before = len(web.asked_for(MANIFEST))
        wait_until(lambda: len(web.asked_for(MANIFEST)) >= asked_before + 2)
        camera.wait_for_frames(5)
    assert camera.runs == "121"
    assert fault == "slow" or camera.seen.count("2") == 10
    assert camera.sentences[1:] == [f"pets version 2 is taken back: {reason} (pets version 1 runs again)"]
    assert camera.outcomes == ["taken_back"]
    with open_updates(settings(web), tmp_path, pytest.fail) as updater:
        assert updater.slot.current.identity.version == 1


def test_a_probation_goes_on_after_an_orderly_end(web: ModelWeb, tmp_path: Path) -> None:
    have(web, tmp_path)
    publish(web, OTHER, 2)
    with updating_camera(settings(web, probation_frames=100_000), tmp_path) as camera:
        camera.wait_for("runs now")
        camera.wait_for_frames(5)
    with updating_camera(settings(web, loading=SpoiltLoading(runtime="litert", fault="infer")), tmp_path) as camera:
        camera.wait_for("is taken back")
        camera.wait_for_frames(5)
    assert camera.runs == "21"
    with updating_camera(settings(web), tmp_path) as camera:
        camera.wait_for_frames(20)
    assert (camera.runs, camera.sentences) == ("1", [])


def test_a_first_model_is_tried_and_watched_too(web: ModelWeb, tmp_path: Path) -> None:
    with pytest.raises(UpdateError, match=r"404 .* this camera has no model yet; .* --model-meanwhile"):
        open_updates(settings(web), tmp_path, pytest.fail)
    offer(web, crashing())
    with pytest.raises(UpdateError, match=r"pets version 2 is refused: .* no model yet"):
        open_updates(settings(web), tmp_path, pytest.fail)
    with pytest.raises(
        UpdateError,
        match=r"http://127\S+: offers version 2, which was refused here \(.*SIGSEGV.* --model-folder; .* no model",
    ):
        open_updates(settings(web), tmp_path, pytest.fail)
    publish(web, OTHER, 3)
    with updating_camera(settings(web), tmp_path) as camera:
        wait_until(lambda: camera.outcomes == ["accepted"])
    assert camera.runs == "2"
    web.files.clear()
    with updating_camera(settings(web), tmp_path) as camera:  # without a server, too
        camera.wait_for("404 Not Found")
    assert camera.runs == "2"


def test_another_model_runs_until_the_first_one_is_there(web: ModelWeb, tmp_path: Path) -> None:
    with updating_camera(settings(web), tmp_path, meanwhile=path_of(FAST)) as camera:
        camera.wait_for("(pets-fast goes on)")
        publish(web, OTHER, 1)
        wait_until(lambda: camera.outcomes == ["failed", "accepted"])
        camera.wait_for_frames(5)
    assert camera.runs == "12"
    assert camera.sentences[1:] == ["pets version 1 runs now; pets-fast stands by until it has proved itself"]


def test_that_looking_works_again_is_said_once(web: ModelWeb, tmp_path: Path) -> None:
    have(web, tmp_path)
    files = dict(web.files)
    web.files.clear()
    with updating_camera(settings(web), tmp_path) as camera:
        camera.wait_for("404 Not Found")
        web.files.update(files)
        camera.wait_for("works again")
        asked = len(web.requests)
        wait_until(lambda: len(web.requests) >= asked + 2)
    assert camera.sentences[1:] == ["looking for new models works again"]


def test_a_first_model_that_fails_in_the_camera_is_not_tried_for_ever(web: ModelWeb, tmp_path: Path) -> None:
    publish(web, OTHER, 2)
    asked, sentences = settings(web, loading=SpoiltLoading(runtime="litert", fault="infer")), list[str]()
    with open_updates(asked, tmp_path, sentences.append) as updater:
        updater.start()
        with pytest.raises(RuntimeError, match="failed to invoke"):
            run_pipeline(EndlessFile(threading.Event()), updater.slot, [])
    assert sentences == [
        "pets version 2 is taken back: it failed on a frame (Node number 3 (CONV_2D) failed to invoke.) (no other one "
        "is here)"
    ]
    with pytest.raises(UpdateError, match="was refused"):
        open_updates(asked, tmp_path, pytest.fail)


@pytest.mark.parametrize("crashed", [False, True])
def test_a_start_on_a_full_disk_runs_what_is_there(
    crashed: bool, web: ModelWeb, mount_disk: Callable[[str], Path]
) -> None:
    disk = mount_disk("8m")
    folder = have(web, disk / "models")
    if crashed:
        publish(web, OTHER, 2)
        store = ModelStore(folder, pytest.fail)
        candidate = settings(web).fetch(store, None)
        assert candidate is not None
        store.accept(candidate)
        state = (folder / "state.json").read_bytes()
        store.close()
        (folder / "state.json").write_bytes(state)  # as a crash leaves it
    fill_disk(disk)
    publish(web, OTHER, 3)
    with updating_camera(settings(web), folder) as camera:
        camera.wait_for("(pets version 1 goes on)")
        asked = len(web.requests)
        wait_until(lambda: len(web.requests) >= asked + 2)
    assert camera.runs == "1"
    goes_on = [sentence for sentence in camera.sentences if sentence.endswith("(pets version 1 goes on)")]
    assert len(goes_on) == 1
    assert "disk" in goes_on[0]
    del camera
    gc.collect()  # the model's file is mapped, and the disk is to be unmounted
