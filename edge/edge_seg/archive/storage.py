"""Folders that an archive is read from and written to: of this machine, or in a bucket of S3 or Cloud Storage.

Addresses: a path, `file:///path`, `s3://bucket/prefix`, `gs://bucket/prefix`. Another server than Amazon's or Google's
stands in AWS_ENDPOINT_URL (or AWS_ENDPOINT_URL_S3) and STORAGE_EMULATOR_HOST; it goes with a `Place` to other machines.
Credentials do not: each machine finds its own, the way botocore and google-auth do.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from edge_seg.archive.storage_faults import told
from edge_seg.errors import EdgeSegError, SinkError, SourceError
from edge_seg.extras import require_module
from edge_seg.files import check_can_write
from edge_seg.images import IMAGE_SUFFIXES
from edge_seg.sources.images import is_image_name

_OPENING_TIMEOUT_S = 15.0


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

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        ...

    def info(self, path: str, *, timeout: float) -> dict[str, Any]:
        """Return `type` ("file" or "directory") and, of a file, when it was written."""
        ...


@dataclass(frozen=True)
class Place:
    """A folder, local or in a bucket; can be pickled. A name in it is a path relative to it, with slashes."""

    uri: str
    fs: FileSystem
    root: str
    timeout_s: float = 120.0
    """Of one request with the library's retries: a picture of 100 MB at 1 MB/s."""

    @property
    def local(self) -> bool:
        """Whether it is a folder of this machine."""
        return "file" in self.fs.protocol

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            SourceError: it cannot be read; the sentence names it.
        """
        path = self._path(name, SourceError)
        with _told(self, name, "read", SourceError):
            return self.fs.cat_file(path, timeout=self.timeout_s)

    def write(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all.

        Raises:
            SinkError: it cannot be written; the sentence names it.
        """
        path = self._path(name, SinkError)
        with _told(self, name, "write", SinkError):
            self.fs.pipe_file(path, data, timeout=self.timeout_s)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens when there is none.

        Raises:
            SinkError: it cannot be removed.
        """
        path = self._path(name, SinkError)
        with _told(self, name, "remove", SinkError), suppress(FileNotFoundError):
            self.fs.rm_file(path)

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name.

        Raises:
            SourceError: nobody can say.
        """
        return self.modified_at(name) is not None

    def modified_at(self, name: str) -> datetime | None:
        """Return when a file was written, by the clock of the storage; None where there is no such file.

        Raises:
            SourceError: nobody can say.
        """
        path = self._path(name, SourceError)
        with _told(self, name, "read", SourceError), suppress(FileNotFoundError):
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
        folder = self._path(below, SourceError) if below else self.root
        with _told(self, below, "read", SourceError):
            for path in _files(self, folder):
                yield path[len(self.root) + 1 :]

    def _path(self, name: str, error_class: type[EdgeSegError]) -> str:
        if not set(name.split("/")).isdisjoint({"", ".", ".."}):
            raise error_class(f"{self.uri}/{name}: a part of the name is empty or dots; rename the file")
        if "?versionId=" in name and not self.local:  # s3fs would take it for a version of another file
            raise error_class(f"{self.uri}/{name}: '?versionId=' in a name is taken for a version; rename the file")
        return f"{self.root}/{name}"


def open_source(uri: str) -> Place:
    """Open a folder to read from.

    Raises:
        SourceError: no such folder or bucket, it may not be read, or nobody answers within 15 s.
        MissingExtraError: its kind takes a package that is not installed.
    """
    place = _place(uri, SourceError)
    if place.local:
        _check_local_source(place)
    else:
        _check_bucket(place, SourceError)
    return place


def open_output(uri: str) -> Place:
    """Open a folder to write into; nothing is written, and a local one need not be there yet.

    Raises:
        SinkError: no such bucket, it may not be listed, a local folder may not be written, or nobody answers
            within 15 s.
        MissingExtraError: its kind takes a package that is not installed.
    """
    place = _place(uri, SinkError)
    if place.local:
        with _told(place, "", "write", SinkError):
            check_can_write(Path(place.root))
    else:
        _check_bucket(place, SinkError)
    return place


def picture_names(place: Place) -> list[str]:
    """List the pictures in a folder and its sub-folders, sorted; hidden files and folders are left out.

    Raises:
        SourceError: it holds none, or cannot be listed.
    """
    names = sorted(name for name in place.each_name() if _is_picture(name))
    if not names:
        raise SourceError(f"{place.uri}: holds no image; images end in {' '.join(sorted(IMAGE_SUFFIXES))}")
    return names


def _told(place: Place, name: str, verb: str, error_class: type[EdgeSegError]) -> AbstractContextManager[None]:
    return told(place.fs, f"{place.uri}/{name}" if name else place.uri, verb, error_class)


def _written_at(info: dict[str, Any]) -> datetime | None:
    if info["type"] != "file":
        return None
    stamp: datetime | float = info["LastModified"] if "LastModified" in info else info["mtime"]  # s3fs; the others
    return stamp if isinstance(stamp, datetime) else datetime.fromtimestamp(stamp, tz=UTC)


def _is_picture(name: str) -> bool:
    return is_image_name(name.rpartition("/")[2]) and "/." not in f"/{name}"


def _place(uri: str, error_class: type[EdgeSegError]) -> Place:
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        return _local_place(uri, rest if separator else uri, error_class)
    if scheme not in ("s3", "gs"):
        raise error_class(
            f"{uri}: nothing here reads {scheme}://; give a folder, s3://bucket/folder or gs://bucket/folder"
        )
    return _bucket_place(uri.rstrip("/"), scheme, rest.rstrip("/"), error_class)


def _local_place(uri: str, path: str, error_class: type[EdgeSegError]) -> Place:
    require_module("fsspec", extra="cluster", purpose="An archive")
    from edge_seg.archive.local_folder import LocalFolder

    if not path:
        raise error_class("the address of a folder is empty; give its path")
    if path != uri and not path.startswith("/"):
        raise error_class(f"{uri}: file:// takes a whole path, as file:///data/pictures; leave file:// away otherwise")
    return Place(uri, LocalFolder(), str(Path(path).absolute()))


def _bucket_place(uri: str, scheme: str, root: str, error_class: type[EdgeSegError]) -> Place:
    module = {"s3": "s3fs", "gs": "gcsfs"}[scheme]
    require_module("fsspec", extra="cluster", purpose=f"{scheme}://")
    require_module(module, extra="cluster", purpose=f"{scheme}://")
    bucket = root.partition("/")[0]
    if "@" in bucket or ":" in bucket:
        raise error_class(f"{scheme}://…: credentials do not belong into an address; each library finds its own")
    if not bucket:
        raise error_class(f"{uri}: names no bucket; give {scheme}://bucket/folder")
    return Place(uri, _bucket_system(scheme), root)


def _bucket_system(scheme: str) -> FileSystem:
    import fsspec  # pyright: ignore

    if scheme == "s3":
        # One request a file (more than one at a time asks for its size first); a second listing sees new files.
        options: dict[str, Any] = {"max_concurrency": 1}
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    else:
        options = {}
        endpoint = os.environ.get("STORAGE_EMULATOR_HOST")
    if endpoint:
        options["endpoint_url"] = endpoint
    return fsspec.filesystem(scheme, use_listings_cache=False, **options)  # pyright: ignore


def _files(place: Place, folder: str) -> Iterator[str]:
    if not place.local:
        from edge_seg.archive.bucket_pages import keys_below

        return keys_below(place.fs, folder)
    from edge_seg.archive.local_folder import files_below

    return files_below(folder) if Path(folder).exists() else iter(())


def _check_local_source(place: Place) -> None:
    folder = Path(place.root)
    if not folder.exists():
        raise SourceError(f"{place.uri}: no such folder; check the path")
    if not folder.is_dir():
        raise SourceError(f"{place.uri}: is a file; give the folder it is in")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise SourceError(f"{place.uri}: may not be read by this user; change the folder's rights")


def _check_bucket(place: Place, error_class: type[EdgeSegError]) -> None:
    from edge_seg.archive.bucket_pages import keys_below

    with _told(place, "", "list", error_class):
        next(keys_below(place.fs, place.root, page_timeout_s=_OPENING_TIMEOUT_S), None)
