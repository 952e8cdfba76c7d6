"""A folder that an archive is read from or written to, of this machine or in a bucket."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from edge_seg.archive.storage_faults import told
from edge_seg.errors import EdgeSegError, NameRefusedError, SinkError, SourceError


class FileSystem(Protocol):
    """What is used of fsspec's AbstractFileSystem, which has no types.

    All of it takes a name as it is written; fsspec's `cat`, `glob` and `rm` take `*` and `[` in one for patterns.
    """

    protocol: str | tuple[str, ...]
    storage_options: dict[str, Any]

    def cat_file(self, path: str, *, timeout: float) -> bytes:
        """Return the bytes of a file."""
        ...

    def pipe_file(self, path: str, value: bytes, *, timeout: float) -> None:
        """Write a file."""
        ...

    def rm_file(self, path: str, *, timeout: float) -> None:
        """Remove a file."""
        ...

    def info(self, path: str, *, timeout: float) -> dict[str, Any]:
        """Return `type` ("file" or "directory") and, of a file, when it was written."""
        ...


@dataclass(frozen=True)
class Place:
    """A folder; can be pickled. A name in it is a path relative to it, with slashes.

    All methods raise StorageError, too: the server does not answer or does not accept the credentials, or this
    machine does not see the folder, so that no other file can be read or written either.
    """

    uri: str
    """As the user wrote it, without a slash at its end."""
    fs: FileSystem
    root: str
    """A path, `bucket` or `bucket/prefix`; empty for the folder `/`."""
    timeout_s: float = 120.0
    """Of one request with the library's retries: a picture of 100 MB at 1 MB/s."""

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "file" in self.fs.protocol

    @property
    def folder(self) -> Path:
        """The folder of this machine that it is."""
        return Path(self.root or "/")

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            SourceError: it cannot be read; the sentence names it.
        """
        path = self._path(name, SourceError)
        with self._told(name, "read", SourceError):
            return self.fs.cat_file(path, timeout=self.timeout_s)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            NameRefusedError: the name is too long, or not one that files may have here.
            SinkError: it cannot be written; the sentence names it.
        """
        path = self._path(name, NameRefusedError)
        with self._told(name, "write", SinkError):
            self.fs.pipe_file(path, data, timeout=self.timeout_s)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens when there is none.

        Raises:
            SinkError: it cannot be removed.
        """
        path = self._path(name, SinkError)
        with self._told(name, "remove", SinkError), suppress(FileNotFoundError):
            self.fs.rm_file(path, timeout=self.timeout_s)

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name.

        Raises:
            SourceError: it may not be looked at.
        """
        return self.modified_at(name) is not None

    def modified_at(self, name: str) -> datetime | None:
        """Return when a file was written, by the clock of the storage; None where there is no such file.

        Raises:
            SourceError: it may not be looked at.
        """
        path = self._path(name, SourceError)
        with self._told(name, "read", SourceError), suppress(FileNotFoundError):
            return _written_at(self.fs.info(path, timeout=self.timeout_s))
        return None

    def names(self, below: str = "") -> list[str]:
        """List all files below a folder of this one, sorted; a folder that is not there holds none.

        Raises:
            SourceError: it cannot be listed.
        """
        return sorted(self.each_name(below))

    def each_name(self, below: str = "") -> Iterator[str]:
        """Yield what `names` lists, in the order in which the storage has it.

        Raises:
            SourceError: it cannot be listed.
        """
        top = self._path(below, SourceError) if below else self.root
        with self._told(below, "list", SourceError):
            for path in self._files(top):
                yield path[len(self.root) + 1 :]

    def _files(self, top: str) -> Iterator[str]:
        if self.local:
            from edge_seg.archive.local_folder import files_below

            return files_below(Path(top or "/"))
        from edge_seg.archive.bucket_pages import keys_below

        return keys_below(self.fs, top)

    def _path(self, name: str, error_class: type[EdgeSegError]) -> str:
        if not set(name.split("/")).isdisjoint({"", ".", ".."}):
            raise error_class(f"{self.uri}/{name}: a part of the name is empty or dots; rename the file")
        if "?versionId=" in name and not self.local:  # s3fs would cut it off
            raise error_class(f"{self.uri}/{name}: '?versionId=' in a name is taken for a version; rename the file")
        return f"{self.root}/{name}"

    def _told(self, name: str, verb: str, error_class: type[EdgeSegError]) -> AbstractContextManager[None]:
        return told(self.fs, self.root, f"{self.uri}/{name}" if name else self.uri, verb, error_class)


def _written_at(info: dict[str, Any]) -> datetime | None:
    if info["type"] != "file":
        return None
    stamp: datetime | float = info["LastModified"] if "LastModified" in info else info["mtime"]  # s3fs; the others
    return stamp if isinstance(stamp, datetime) else datetime.fromtimestamp(stamp, tz=UTC)
