"""The folder on a device in which its models are kept.

    store/
      state.json                which version runs, which one was before, which are refused
      versions/7/NAME.tflite    with manifest.json beside it; the current one and the one before
      download/                 what is being fetched

Every change is first on the disk under another name and then renamed, so a power cut at any moment leaves the old
state or the new one. What is damaged all the same is told and done without, never a reason not to start.
"""

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import UpdateError
from edge_seg.files import make_folder, remove_parts, sync, write_durably
from edge_seg.model_identity import ModelIdentity, file_sha256
from edge_seg.updates.manifest import Manifest, manifest_json, parse_manifest
from edge_seg.updates.state import State, read_state, telling_faults, write_state

Report = Callable[[str], None]
"""Takes one sentence for the user."""

_MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True)
class Stored:
    """A model that was accepted."""

    path: Path
    manifest: Manifest

    @property
    def identity(self) -> ModelIdentity:
        """What telemetry calls it."""
        return ModelIdentity(self.manifest.name, self.manifest.sha256, self.manifest.version)


@dataclass(frozen=True)
class Candidate:
    """A model that was fetched and verified, and may be tried."""

    path: Path
    """In the store's download folder; `ModelStore.accept` moves it, `refuse` removes it."""
    manifest: Manifest
    url: str = ""
    etag: str = ""
    """Of the manifest; remembered when the candidate's fate is known, so that a crash before asks again."""


class ModelStore:
    """The models of one device. Belongs to one process; may be used from any of its threads.

    A new version is on trial from `accept` to `confirm`. A start that finds a trial running, as after a crash, falls
    back to the version before; the second time it refuses the version. A start after an orderly `close` goes on with
    the trial.
    """

    def __init__(self, folder: Path, report: Report) -> None:
        """Open or make the folder, and cure what is wrong in it.

        Args:
            folder: of this device alone.
            report: takes a sentence for each thing that was cured, and for a version that crashed.

        Raises:
            UpdateError: it cannot be written, or another process has it.
        """
        self.folder, self._report = folder, report
        self._lock = threading.RLock()
        with telling_faults(folder):
            for part in (self.download_folder, self._versions):
                make_folder(part)
            self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                self._take()
                remove_parts(folder)
                self._state = self._read()
                self._stored = {version: stored for version in self._numbers() if (stored := self._intact(version))}
                self._recover()
            except BaseException:
                os.close(self._handle)
                raise

    @property
    def download_folder(self) -> Path:
        """Where a candidate lies until it is accepted."""
        return self.folder / "download"

    @property
    def highest_version(self) -> int:
        """The highest version ever accepted; 0 on a new device."""
        return self._state.highest

    @property
    def refused(self) -> Mapping[int, str]:
        """Why, by version, for those that are not to be tried again."""
        return self._state.refused

    @property
    def on_trial(self) -> bool:
        """Whether the current version has yet to be confirmed."""
        return self._state.trial is not None

    def current(self) -> Stored | None:
        """Return the model to run; None on a new device."""
        return self._get(self._state.current)

    def previous(self) -> Stored | None:
        """Return what a roll-back returns to."""
        return self._get(self._state.previous)

    def etag(self, url: str) -> str:
        """Return the ETag of the last manifest at `url` whose model's fate is known; empty when there is none."""
        return self._state.etag if self._state.manifest_of == _hashed(url) else ""

    def remember_etag(self, url: str, etag: str) -> None:
        """Ask for no manifest that is already known.

        Raises:
            UpdateError: the disk is full or fails.
        """
        with self._lock:
            self._save(_with_etag(self._state, url, etag))

    def accept(self, candidate: Candidate) -> Stored:
        """Make a candidate the current model, on trial; the last one that was confirmed becomes the previous.

        Raises:
            UpdateError: the disk is full or fails; nothing has changed.
        """
        manifest = candidate.manifest
        with self._lock, telling_faults(self.folder):
            stored = self._move_in(candidate)
            state = self._state
            changes = {
                "current": manifest.version,
                "previous": state.previous if self.on_trial else state.current,
                "highest": max(state.highest, manifest.version),
                "trial": "running",
            }
            self._save(_with_etag(state.model_copy(update=changes), candidate.url, candidate.etag))
            self._stored[manifest.version] = stored
            self._remove_strays()
            return stored

    def confirm(self) -> None:
        """End the trial of the current version well.

        Raises:
            UpdateError: the disk is full or fails; the trial goes on.
        """
        with self._lock:
            self._save(self._state.model_copy(update={"trial": None, "crashed": None}))

    def roll_back(self, reason: str) -> Stored | None:
        """Refuse the current version for good and return the one before, which is current now.

        Raises:
            UpdateError: the disk is full or fails; it is rolled back until this process ends, and at the next start.
        """
        with self._lock:
            failed = self._state.current
            self._save_at_any_rate(_fallen_back(_refusing(self._state, failed, reason)))
            return self.current()

    def refuse(self, candidate: Candidate, reason: str) -> None:
        """Remove a candidate and never take its version again.

        Raises:
            UpdateError: the disk is full or fails; it is refused until this process ends.
        """
        with self._lock, telling_faults(self.folder):
            candidate.path.unlink(missing_ok=True)
            state = _refusing(self._state, candidate.manifest.version, reason)
            self._save_at_any_rate(_with_etag(state, candidate.url, candidate.etag))

    def close(self) -> None:
        """Leave the folder to others; a trial goes on with the next start.

        Raises:
            UpdateError: the disk is full or fails: the next start will take a running trial for a crash.
        """
        try:
            with self._lock:
                if self.on_trial:
                    self._save(self._state.model_copy(update={"trial": "paused"}))
        finally:
            os.close(self._handle)

    @property
    def _versions(self) -> Path:
        return self.folder / "versions"

    @property
    def _state_path(self) -> Path:
        return self.folder / "state.json"

    def _take(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UpdateError(
                f"{self.folder}: another camera keeps its models there; give this one a folder of its own"
            ) from None

    def _read(self) -> State:
        try:
            return read_state(self._state_path)
        except UpdateError as error:
            self._state_path.replace(self._state_path.with_name("state.json.damaged"))
            self._report(f"{error}; what the folder holds is taken for what was accepted")
            return self._rebuilt()

    def _rebuilt(self) -> State:
        """Guess a lost state: the newest version runs, and has to prove itself again."""
        numbers = self._numbers()
        current, previous = [None, None, *numbers][:-3:-1]
        trial = "paused" if numbers else None
        return State(current=current, previous=previous, highest=max(numbers, default=0), trial=trial)

    def _recover(self) -> None:
        """Do without versions that are damaged and those that crashed."""
        state = self._without_damaged(self._state)
        if state.trial == "running" and state.current is not None:
            state = self._after_crash(state, state.current)
        if state.trial == "paused":
            state = state.model_copy(update={"trial": "running"})
        try:
            self._save_at_any_rate(state)
        except UpdateError as error:  # no reason not to run the model that is there
            self._report(str(error))
        self._remove_strays()

    def _without_damaged(self, state: State) -> State:
        if state.previous is not None and state.previous not in self._stored:
            state = state.model_copy(update={"previous": None})
        if state.current is not None and state.current not in self._stored:
            instead = _runs(state.previous)
            self._report(f"{self.folder}: version {state.current} is damaged; {instead}, and it is fetched again")
            state = _fallen_back(state).model_copy(update={"etag": ""})
        return state

    def _after_crash(self, state: State, version: int) -> State:
        ended = f"{self.folder}: version {version} was on trial when the program, or the power, went down"
        if state.crashed == version:
            self._report(f"{ended}, again; it is refused, and {_runs(state.previous)}")
            return _fallen_back(_refusing(state, version, "the program went down twice while it was on trial"))
        if state.previous is None:
            self._report(f"{ended}; {_runs(None)}, so it is tried once more at once")
            return state.model_copy(update={"crashed": version, "trial": "paused"})
        self._report(f"{ended}; {_runs(state.previous)}, and it is tried once more later")
        return _fallen_back(state).model_copy(update={"crashed": version, "etag": ""})

    def _get(self, version: int | None) -> Stored | None:
        return None if version is None else self._stored.get(version)

    def _numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._versions.iterdir() if path.name.isdecimal() and path.is_dir())

    def _intact(self, version: int) -> Stored | None:
        """Return what the folder of a version holds, or None where that is damaged."""
        folder = self._versions / str(version)
        with suppress(UpdateError, OSError):
            manifest = parse_manifest((folder / _MANIFEST_NAME).read_bytes())
            stored = Stored(folder / f"{manifest.name}.tflite", manifest)
            if manifest.version == version and file_sha256(stored.path) == manifest.sha256:
                return stored
        return None

    def _move_in(self, candidate: Candidate) -> Stored:
        manifest = candidate.manifest
        folder = self._versions / str(manifest.version)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            write_durably(folder / _MANIFEST_NAME, manifest_json(manifest))
            sync(candidate.path)
            path = candidate.path.replace(folder / f"{manifest.name}.tflite")
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        sync(folder)
        sync(self._versions)
        return Stored(path, manifest)

    def _remove_strays(self) -> None:
        """Remove the versions that nothing refers to."""
        kept = {str(self._state.current), str(self._state.previous)}
        for path in self._versions.iterdir():
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _save(self, state: State) -> None:
        if state != self._state:
            with telling_faults(self.folder):
                write_state(self._state_path, state)
            self._state = state

    def _save_at_any_rate(self, state: State) -> None:
        """Save a state that holds in this process also where it cannot be written."""
        try:
            self._save(state)
        finally:
            self._state = state


def _with_etag(state: State, url: str, etag: str) -> State:
    return state.model_copy(update={"manifest_of": _hashed(url), "etag": etag})


def _refusing(state: State, version: int | None, reason: str) -> State:
    if version is None:
        return state
    return state.model_copy(update={"refused": {**state.refused, version: reason}})


def _fallen_back(state: State) -> State:
    return state.model_copy(update={"current": state.previous, "previous": None, "trial": None})


def _runs(version: int | None) -> str:
    return "no earlier one is there" if version is None else f"version {version} runs"


def _hashed(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
