"""Looks for new models while the camera runs, and exchanges the camera's when one has stood its trial."""

import random
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from edge_seg.errors import ModelError, UpdateError
from edge_seg.model_identity import ModelIdentity
from edge_seg.model_slot import ModelSlot
from edge_seg.native_threads import NativeThread
from edge_seg.priority import step_back
from edge_seg.result import Result
from edge_seg.segmenter import Segmenter
from edge_seg.updates.acceptance import RefusedBeforeError
from edge_seg.updates.golden import golden_picture
from edge_seg.updates.manifest import Manifest
from edge_seg.updates.probation import FrameProbation, unhindered_ms
from edge_seg.updates.settings import TooSlowError, UpdateSettings, in_full
from edge_seg.updates.store import Candidate, ModelStore, Report

Outcome = Literal["accepted", "refused", "taken_back", "failed"]
"""A model that is kept, one that did not stand its trial or its first frames, or a look that found out nothing."""

_LONGEST_FIRST_WAIT_S = 60.0
_FIRST_WAIT_SHARE = 0.1
_JITTER = 0.1
_LOOK_EVERY_S = 0.2
_LATENCIES, _FEWEST_LATENCIES = 100, 20
_CLOSE_WITHIN_S = 5.0


class Updater:
    """The thread. `slot` is for the pipeline, `observe` one of its observers; neither waits for this."""

    on_outcome: Callable[[Outcome], None]
    """Told what came of a look, on the updater's thread: each model, and each cause of a failure, once."""

    def __init__(
        self,
        settings: UpdateSettings,
        store: ModelStore,
        slot: ModelSlot,
        report: Report,
        *,
        probation: FrameProbation | None = None,
        meanwhile: Path | None = None,
    ) -> None:
        """Take over a store.

        Args:
            settings: where models come from.
            store: closed by `close`.
            slot: holds the store's current model, or the one from `meanwhile` where there is none.
            report: takes a sentence for each cause, once.
            probation: what the slot tells, where its model has yet to prove itself.
            meanwhile: the file that runs where the store has none.
        """
        self.slot = slot
        self.on_outcome = lambda _: None
        self._settings, self._store, self._report = settings, store, report
        self._first_probation, self._meanwhile = probation, meanwhile
        self._latencies_ms: deque[float] = deque(maxlen=_LATENCIES)
        self._told: str | None = None
        self._stop = threading.Event()
        self._thread = NativeThread(self._run, "edge-seg updates")

    def observe(self, result: Result) -> None:
        """Take note of how long the model takes."""
        self._latencies_ms.append(result.segmentation.invoke_ms)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking, within five seconds, and leave the store; a probation goes on with the next start."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_CLOSE_WITHIN_S)
        try:
            self._store.close()
        except UpdateError as error:
            self._report(str(error))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        step_back()
        if self._first_probation is not None:
            self._telling_once(self._watch, self._first_probation)
        every_s = self._settings.every_s
        wait_s = random.uniform(0, min(_FIRST_WAIT_SHARE * every_s, _LONGEST_FIRST_WAIT_S))
        while not self._stop.wait(wait_s):
            self._telling_once(self._look)
            wait_s = every_s * random.uniform(1 - _JITTER, 1 + _JITTER)  # lest a fleet asks at once

    def _telling_once(self, act: Callable[..., None], *arguments: object) -> None:
        """Do something, and tell why it cannot be done: again only when that is something else, or was over."""
        trouble: UpdateError | None = None
        try:
            act(*arguments)
        except UpdateError as error:
            trouble = error
        told, now = self._told, None if trouble is None else str(trouble)
        if self._stop.is_set() or now == told:
            return
        self._told = now
        if trouble is None:
            self._report("looking for new models works again")
        else:
            self._report(f"{in_full(trouble)} ({label(self.slot.current)} goes on)")
            self.on_outcome("refused" if isinstance(trouble, TooSlowError) else "failed")

    def _look(self) -> None:
        if self._store.on_trial:  # it stood its first frames, but the disk was full
            self._store.confirm()
        names = [item.name for item in self.slot.current.classes]
        try:
            candidate = self._settings.fetch(self._store, names, self._stop)
        except RefusedBeforeError:  # which was told then
            return
        if candidate is not None:
            self._try(candidate)

    def _try(self, candidate: Candidate) -> None:
        latencies_ms = list(self._latencies_ms)
        camera_ms = unhindered_ms(latencies_ms) if len(latencies_ms) >= _FEWEST_LATENCIES else None
        report = self._settings.trial(candidate, self._running, self._stop)
        if report is None:
            return
        refusal = report.refusal
        try:
            if refusal is None:
                self._settings.check_pace(report, candidate.manifest, camera_ms)
                self._exchange(self._loaded(candidate), candidate, camera_ms)
        except ModelError as error:  # it was replaced or removed since its trial
            refusal = str(error)
        if refusal is not None:
            self._refuse(candidate, refusal)

    def _loaded(self, candidate: Candidate) -> Segmenter:
        """Load a model and let it answer once: its first answer takes longest, and no frame is to wait for it."""
        manifest = candidate.manifest
        identity = ModelIdentity(manifest.name, manifest.sha256, manifest.version)
        model = self._settings.loading.load(candidate.path, identity)
        model.segment(golden_picture(manifest.golden))
        return model

    @property
    def _running(self) -> Path | None:
        """The file of the model in the slot."""
        stored = self._store.current()
        return stored.path if stored else self._meanwhile

    def _exchange(self, new: Segmenter, candidate: Candidate, before_ms: float | None) -> None:
        if self._stop.is_set():  # what would begin now, the next start would take for a crash
            return
        before = label(self.slot.current)  # not the model itself, which this would keep alive
        self._store.accept(candidate)
        probation = self._settings.probation(candidate.manifest, before_ms)
        self.slot.exchange(new, probation)
        self._latencies_ms.clear()
        self._told = None
        self._report(f"{label(new)} runs now; {before} stands by until it has proved itself")
        self._watch(probation)

    def _watch(self, probation: FrameProbation) -> None:
        """Wait for what the first frames say, and do it."""
        while not probation.decided.wait(_LOOK_EVERY_S):
            if self._stop.is_set():
                return
        if probation.reason is None and self.slot.keep():
            self.on_outcome("accepted")
            self._store.confirm()
        else:
            self._take_back(f"{probation.reason}")

    def _take_back(self, reason: str) -> None:
        failed = self._store.current()
        self.slot.roll_back()
        self._latencies_ms.clear()
        if failed is not None:
            back = self.slot.current.identity != failed.identity
            rest = f"{label(self.slot.current)} runs again" if back else "no other one is here"
            self._report(f"{_named(failed.manifest)} is taken back: {reason} ({rest})")
        self.on_outcome("taken_back")
        self._store.roll_back(reason)

    def _refuse(self, candidate: Candidate, reason: str) -> None:
        self._report(f"{_named(candidate.manifest)} is refused: {reason} ({label(self.slot.current)} goes on)")
        self.on_outcome("refused")
        self._store.refuse(candidate, reason)


def label(model: Segmenter) -> str:
    """Return what sentences call a model: its name, and its version where it has one."""
    version = model.identity.version if model.identity else None
    return model.name if version is None else f"{model.name} version {version}"


def _named(manifest: Manifest) -> str:
    return f"{manifest.name} version {manifest.version}"
