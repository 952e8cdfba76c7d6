"""Which model a camera begins with that takes its models from a server."""

import threading
from collections.abc import Callable
from pathlib import Path

from edge_seg.errors import ModelError, UpdateError
from edge_seg.model_slot import ModelSlot
from edge_seg.segmenter import Segmenter
from edge_seg.updates.acceptance import refused_before
from edge_seg.updates.address import parse_model_address
from edge_seg.updates.probation import FrameProbation
from edge_seg.updates.settings import UpdateSettings, in_full
from edge_seg.updates.store import ModelStore, Report, Stored
from edge_seg.updates.updater import Updater

_NO_MODEL = "this camera has no model yet; to run with another one until then, give it with  --model-meanwhile"


def open_updates(
    settings: UpdateSettings,
    folder: Path,
    report: Report,
    *,
    meanwhile: Path | None = None,
    doing: Callable[[str], None] = lambda _: None,
) -> Updater:
    """Open the folder and load the model it holds, without any network; on a new device fetch the first.

    Args:
        settings: where models come from.
        folder: where they are kept; of this camera alone.
        report: takes a sentence for each cause, once.
        meanwhile: a model to run until the first is there, instead of waiting for it.
        doing: told what takes long.

    Raises:
        UpdateError: the folder cannot be used, or there is no model yet and none can be fetched.
        ModelError: the model cannot be loaded, and none is there that could.
    """
    store = ModelStore(folder, report)
    try:
        slot, probation = _begin(settings, store, report, meanwhile, doing)
        return Updater(settings, store, slot, report, probation=probation, meanwhile=meanwhile)
    except BaseException:
        store.close()
        raise


def _begin(
    settings: UpdateSettings, store: ModelStore, report: Report, meanwhile: Path | None, doing: Callable[[str], None]
) -> tuple[ModelSlot, FrameProbation | None]:
    """Return the model to run, and what watches it where it has yet to prove itself."""
    loaded = _load_current(settings, store, report)
    if loaded is None and meanwhile is not None:
        return ModelSlot(settings.loading.load(meanwhile)), None
    stored, model = loaded or _first(settings, store, doing)
    if not store.on_trial:
        return ModelSlot(model), None
    probation = settings.probation(stored.manifest)
    before = _standing_by(settings, store, meanwhile)
    slot = ModelSlot(before or model)
    if before is None:
        slot.watch(probation)
    else:
        slot.exchange(model, probation)
    return slot, probation


def _load_current(settings: UpdateSettings, store: ModelStore, report: Report) -> tuple[Stored, Segmenter] | None:
    """Load the model that is to run; one on trial that cannot be loaded makes way for the one before."""
    stored = store.current()
    if stored is None:
        return None
    try:
        return stored, settings.loading.load(stored.path, stored.identity)
    except ModelError as error:
        if not store.on_trial:
            raise
        report(f"{stored.manifest.name} version {stored.manifest.version} is taken back: {error}")
        try:
            store.roll_back(str(error))
        except UpdateError as fault:  # it holds for this run
            report(str(fault))
        return _load_current(settings, store, report)


def _standing_by(settings: UpdateSettings, store: ModelStore, meanwhile: Path | None) -> Segmenter | None:
    previous = store.previous()
    if previous is not None:
        return settings.loading.load(previous.path, previous.identity)
    return settings.loading.load(meanwhile) if meanwhile else None


def _first(settings: UpdateSettings, store: ModelStore, doing: Callable[[str], None]) -> tuple[Stored, Segmenter]:
    """Fetch, try and accept the first model."""
    try:
        stored = _accepted(settings, store, doing)
    except UpdateError as error:
        raise UpdateError(f"{in_full(error)}; {_NO_MODEL}") from None
    return stored, settings.loading.load(stored.path, stored.identity)


def _accepted(settings: UpdateSettings, store: ModelStore, doing: Callable[[str], None]) -> Stored:
    doing("fetching the first model")
    candidate = settings.fetch(store, None)
    if candidate is None:  # the manifest is known, of the model that was refused last
        place = parse_model_address(settings.url, plaintext=settings.plaintext).shown
        raise UpdateError(f"{place}: {refused_before(store, [*store.refused][-1])}")
    doing("trying the first model")
    manifest, report = candidate.manifest, settings.trial(candidate, None, threading.Event())
    if report is not None and report.refusal is not None:
        store.refuse(candidate, report.refusal)
        raise UpdateError(f"{manifest.name} version {manifest.version} is refused: {report.refusal}")
    if report is not None:
        settings.check_pace(report, manifest)
    return store.accept(candidate)
