"""state.json: which versions a device has had, which one runs, and what it must not try again."""

import errno
import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_seg.errors import UpdateError
from edge_seg.files import write_durably
from edge_seg.validation import first_fault


class State(BaseModel):
    """What is remembered over restarts; changed as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    current: int | None = None
    """The version that runs."""
    previous: int | None = None
    """The one before, which a roll-back returns to."""
    highest: int = 0
    """Of all versions ever accepted: nothing below it is taken any more."""
    trial: Literal["running", "paused"] | None = None
    """Whether the current version still has to prove itself. "running" found at a start means that it crashed."""
    crashed: int | None = None
    """The version whose trial a crash, or a power cut, has ended once."""
    refused: Mapping[int, str] = {}
    """Why, by version."""
    manifest_of: str = ""
    """The address whose manifest `etag` belongs to, as a hash: it may hold a password."""
    etag: str = ""

    def etag_of(self, url: str) -> str:
        """Return the ETag of the manifest of an address; empty when it is not known."""
        return self.etag if self.manifest_of == _hashed(url) else ""

    def is_of(self, url: str) -> bool:
        """Whether the last manifest came from an address, or nothing is known of where it came from."""
        return self.manifest_of in ("", _hashed(url))

    def knowing(self, url: str, etag: str) -> "State":
        """Return the state with the ETag of an address's manifest."""
        return self.model_copy(update={"manifest_of": _hashed(url), "etag": etag})

    def accepting(self, version: int) -> "State":
        """Return the state with a version on trial; the last one that was confirmed is the previous."""
        previous = self.current if self.trial is None else self.previous
        highest = max(self.highest, version)
        return self.model_copy(
            update={"current": version, "previous": previous, "highest": highest, "trial": "running"}
        )

    def refusing(self, version: int, reason: str) -> "State":
        """Return the state in which a version is not tried again."""
        return self.model_copy(update={"refused": {**self.refused, version: reason}})

    def fallen_back(self) -> "State":
        """Return the state in which the version before runs."""
        return self.model_copy(update={"current": self.previous, "previous": None, "trial": None})


def read_state(path: Path) -> State:
    """Read state.json; an absent one is that of a new device.

    Raises:
        UpdateError: it is damaged.
        OSError: it cannot be read.
    """
    try:
        return State.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return State()
    except ValidationError as error:
        raise UpdateError(f"{path}: is damaged ({first_fault(error)})") from None


def write_state(path: Path, state: State) -> None:
    """Write state.json; when this returns, no power cut undoes it.

    Raises:
        OSError: the disk is full or fails.
    """
    write_durably(path, state.model_dump_json(indent=2).encode() + b"\n")


@contextmanager
def telling_faults(folder: Path) -> Generator[None]:
    """Turn what a disk does wrong into one sentence, an UpdateError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UpdateError(f"{folder}: the disk is full; free some space") from None
        raise UpdateError(
            f"{folder}: new models cannot be kept there ({error.strerror or error}); name another folder"
        ) from None


def _hashed(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
