"""The folder on a device in which its models are kept.

    store/
      state.json                which version runs, which one was before, which are refused
      versions/7/NAME.tflite    with manifest.json beside it; the current one and the one before
      download/                 what is being fetched

Every change is first on the disk under another name and then renamed, so a power cut at any moment leaves the old
state or the new one. What is damaged all the same is told and done without, never a reason not to start.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import UpdateError
from edge_seg.files import is_part_name, make_folder
from edge_seg.updates.manifest import Manifest
from edge_seg.updates.recovery import rebuilt, recovered
from edge_seg.updates.state import State, read_state, telling_faults, write_state
from edge_seg.updates.versions import Stored, Versions

Report = Callable[[str], None]
"""Takes one sentence for the user."""


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
        self._versions = Versions(folder / "versions")
        self._lock = threading.RLock()
        with telling_faults(folder):
            for part in (self.download_folder, folder / "versions"):
                make_folder(part)
            self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                self._take()
                self._remove_parts()
                self._state = self._read()
                self._stored = self._versions.intact()
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
        return self._state.etag_of(url)

    def remember_etag(self, url: str, etag: str) -> None:
        """Ask for no manifest that is already known.

        Raises:
            UpdateError: the disk is full or fails.
        """
        with self._lock:
            self._save(self._state.knowing(url, etag))

    def accept(self, candidate: Candidate) -> Stored:
        """Make a candidate the current model, on trial; the last one that was confirmed becomes the previous.

        Raises:
            UpdateError: the disk is full or fails; nothing has changed.
        """
        manifest = candidate.manifest
        with self._lock, telling_faults(self.folder):
            stored = self._versions.move_in(candidate.path, manifest)
            try:
                self._save(self._state.accepting(manifest.version).knowing(candidate.url, candidate.etag))
            except UpdateError:
                stored.path.replace(candidate.path)
                raise
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
            if self._state.current is not None:
                self._save_at_any_rate(self._state.refusing(self._state.current, reason).fallen_back())
            return self.current()

    def refuse(self, candidate: Candidate, reason: str) -> None:
        """Remove a candidate and never take its version again.

        Raises:
            UpdateError: the disk is full or fails; it is refused until this process ends.
        """
        with self._lock, telling_faults(self.folder):
            candidate.path.unlink(missing_ok=True)
            state = self._state.refusing(candidate.manifest.version, reason)
            self._save_at_any_rate(state.knowing(candidate.url, candidate.etag))

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
    def _state_path(self) -> Path:
        return self.folder / "state.json"

    def _take(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UpdateError(
                f"{self.folder}: another camera keeps its models there; give this one a folder of its own"
            ) from None

    def _remove_parts(self) -> None:
        """Remove what a killed process left of `state.json`; other files may be somebody's."""
        for path in self.folder.glob(".state.*"):
            if is_part_name(path.name):
                path.unlink()

    def _read(self) -> State:
        try:
            return read_state(self._state_path)
        except UpdateError as error:
            self._state_path.replace(self._state_path.with_name("state.json.damaged"))
            self._report(f"{error}; what the folder holds is taken for what was accepted")
            return rebuilt(self._versions.numbers())

    def _recover(self) -> None:
        """Do without versions that are damaged and those that crashed."""
        state, told = recovered(self._state, self._stored)
        for sentence in told:
            self._report(f"{self.folder}: {sentence}")
        try:
            self._save_at_any_rate(state)
        except UpdateError as error:  # no reason not to run the model that is there
            self._report(str(error))
        self._remove_strays()

    def _get(self, version: int | None) -> Stored | None:
        return None if version is None else self._stored.get(version)

    def _remove_strays(self) -> None:
        self._versions.keep((self._state.current, self._state.previous))

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
