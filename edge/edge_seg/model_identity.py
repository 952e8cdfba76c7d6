"""Which model it is that runs: what status messages, metrics and tables of results call it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_SHORT_DIGITS = 12


@dataclass(frozen=True)
class ModelIdentity:
    """A model file, told from every other."""

    name: str
    """The file's, without its suffix."""
    sha256: str
    """Of the whole file, 64 hex digits."""
    version: int | None = None
    """Of its manifest, where it came over the air."""

    @property
    def short(self) -> str:
        """The first 12 digits of the hash: enough to tell one's own models apart."""
        return self.sha256[:_SHORT_DIGITS]


def identify(path: Path, *, version: int | None = None) -> ModelIdentity:
    """Return which model a file holds.

    Raises:
        OSError: it cannot be read.
    """
    return ModelIdentity(path.stem, file_sha256(path), version)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
