"""The part of a model that has arrived, kept over broken connections and restarts."""

from collections.abc import Iterable
from pathlib import Path

from edge_seg.files import sync
from edge_seg.model_identity import file_sha256
from edge_seg.updates.connection import etag_or_empty


class TooLongError(Exception):
    """More comes than belongs to the file."""


class PartialFile:
    """A model on its way: HASH.part, and in HASH.etag which file on the server it is part of.

    Its name says what it is to become, so that a part of another model is never taken for one of this.
    """

    def __init__(self, folder: Path, sha256: str, size_bytes: int) -> None:
        """Take up what is there of it.

        Args:
            folder: of this download alone.
            sha256: of the whole.
            size_bytes: of the whole.
        """
        self._sha256, self._whole_bytes = sha256, size_bytes
        self._path, self._etag, self._wrong = (folder / f"{sha256}.{kind}" for kind in ("part", "etag", "wrong"))
        self.is_patched = self.size_bytes > 0
        """Whether it was put together from several answers."""

    @property
    def size_bytes(self) -> int:
        """What has arrived."""
        return self._path.stat().st_size if self._path.exists() else 0

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing; its hash may still be wrong."""
        return self.size_bytes == self._whole_bytes

    @property
    def etag(self) -> str:
        """Of the file on the server that this is a part of; empty where it gave none."""
        return _read(self._etag)

    @property
    def wrong_etag(self) -> str:
        """Of a file on the server that was fetched as a whole and is not the one that was signed."""
        return _read(self._wrong)

    def begin(self, etag: str) -> None:
        """Begin again from nothing.

        Raises:
            OSError: the disk is full or fails.
        """
        self.drop()
        try:
            self._etag.write_text(etag, encoding="latin-1")
        except OSError:
            self.drop()
            raise

    def append(self, pieces: Iterable[bytes]) -> None:
        """Add what comes; also what came before a piece failed to come is kept.

        Raises:
            TooLongError: more comes than belongs to the file; it is dropped.
            OSError: the disk is full or fails; it is dropped.
        """
        try:
            with self._path.open("ab") as file:
                for piece in pieces:
                    if file.tell() + len(piece) > self._whole_bytes:
                        raise TooLongError
                    file.write(piece)
        except (OSError, TooLongError):
            self.drop()
            raise

    def drop(self) -> None:
        """Forget what has arrived."""
        self._path.unlink(missing_ok=True)
        self._etag.unlink(missing_ok=True)
        self.is_patched = False

    def is_right(self) -> bool:
        """Whether it has become what it was to become."""
        return self.is_whole and file_sha256(self._path) == self._sha256

    def put_down_as_wrong(self) -> None:
        """Forget what has arrived, and remember what it was on the server, so that it is not fetched again."""
        if self.etag and not self.is_patched:
            self._wrong.write_text(self.etag, encoding="latin-1")
        self.drop()

    def finish(self, path: Path) -> Path:
        """Move it to where it is to lie, in the same folder."""
        sync(self._path)
        self._path.replace(path)
        self.drop()
        self._wrong.unlink(missing_ok=True)
        sync(path.parent)
        return path


def _read(path: Path) -> str:
    return etag_or_empty(path.read_text(encoding="latin-1")) if path.exists() else ""
