"""Opening the folders of an archive: a path, `file:///path`, `s3://bucket/prefix` or `gs://bucket/prefix`.

Another server than Amazon's or Google's stands in AWS_ENDPOINT_URL (or AWS_ENDPOINT_URL_S3) and STORAGE_EMULATOR_HOST;
it goes with a `Place` to other machines. Credentials do not: each machine finds its own, the way botocore and
google-auth do. What else the libraries take, as S3's `anon`, stands in FSSPEC_S3 and FSSPEC_GS as JSON; that is
fsspec's own way.
"""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_seg.archive.place import FileSystem, Place
from edge_seg.archive.storage_faults import told
from edge_seg.errors import EdgeSegError, SinkError, SourceError
from edge_seg.extras import require_module
from edge_seg.files import check_can_write
from edge_seg.images import IMAGE_SUFFIXES
from edge_seg.sources.images import is_image_name

MASKS = "masks"
"""The folder below an output."""

_OPENING_TIMEOUT_S = 15.0
_LIBRARIES = {"s3": "s3fs", "gs": "gcsfs"}
_ENDPOINTS = {"s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), "gs": ("STORAGE_EMULATOR_HOST",)}


def open_source(uri: str) -> Place:
    """Open a folder to read from.

    Raises:
        SourceError: no such folder, or it may not be read.
        StorageError: no such bucket, nobody answers within 15 s, or the credentials are not accepted.
        MissingExtraError: its kind takes a package that is not installed.
    """
    place = _opened(uri, SourceError)
    if place.local:
        _check_local_source(place)
    else:
        _check_bucket_source(place)
    return place


def open_output(uri: str) -> Place:
    """Open a folder to write into; nothing is written, and a local one need not be there yet.

    Raises:
        SinkError: it may not be listed, or a local folder may not be written.
        StorageError: no such bucket, nobody answers within 15 s, or the credentials are not accepted.
        MissingExtraError: its kind takes a package that is not installed.
    """
    place = _opened(uri, SinkError)
    if place.local:
        with told(place.fs, "", place.uri, "write", SinkError):
            check_can_write(place.folder)
    return place


def check_apart(source: Place, output: Place) -> None:
    """Raise SinkError for an output whose masks would be taken for pictures, or be written over them."""
    if type(source.fs) is not type(output.fs):
        return
    pictures, archive, masks = _real(source), _real(output), _real(replace(output, root=f"{output.root}/{MASKS}"))
    if archive.startswith(pictures):
        raise SinkError(f"{output.uri}: lies in {source.uri}, where its masks would be pictures; give one beside it")
    if pictures.startswith(masks) or masks.startswith(pictures):
        raise SinkError(f"{output.uri}: its masks would be written among the pictures, {source.uri}; give another one")


def _real(place: Place) -> str:
    return (str(place.folder.resolve()) if place.local else place.root).rstrip("/") + "/"


def picture_names(place: Place) -> list[str]:
    """List the pictures in a folder and its sub-folders, sorted; hidden files and folders are left out.

    Raises:
        SourceError: it holds none, cannot be listed, or a name is not text.
        StorageError: as a Place's methods.
    """
    names = sorted(name for name in place.each_name() if _is_picture(name))
    if not names:
        raise SourceError(f"{place.uri}: holds no image; images end in {' '.join(sorted(IMAGE_SUFFIXES))}")
    _check_text(place, names)
    return names


def _is_picture(name: str) -> bool:
    return is_image_name(name.rpartition("/")[2]) and "/." not in f"/{name}"


def _check_text(place: Place, names: list[str]) -> None:
    """Raise SourceError for a name that is not UTF-8, which neither a table nor a bucket can hold."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            shown = name.encode(errors="replace").decode()
            raise SourceError(f"{place.uri}/{shown}: the name is not UTF-8; rename it, as with convmv") from None


def _opened(uri: str, error_class: type[EdgeSegError]) -> Place:
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return _local_place(uri, uri, error_class)
    if scheme == "file":
        if not rest.startswith("/"):
            raise error_class(f"{uri}: file:// takes a whole path, as file:///data/pictures")
        return _local_place(uri, rest, error_class)
    if scheme in _LIBRARIES:
        return _bucket_place(scheme, rest.rstrip("/"), error_class)
    raise error_class(f"{scheme}://: is not known here; give a folder, s3://bucket/folder or gs://bucket/folder")


def _local_place(uri: str, path: str, error_class: type[EdgeSegError]) -> Place:
    if not path:
        raise error_class("the address of a folder is empty; give its path")
    require_module("fsspec", extra="cluster", purpose="An archive")
    from edge_seg.archive.local_folder import LocalFolder

    return Place(uri.rstrip("/") or "/", LocalFolder(), str(Path(path).absolute()).rstrip("/"))


def _check_local_source(place: Place) -> None:
    if not place.folder.exists():
        raise SourceError(f"{place.uri}: no such folder; check the path")
    if not place.folder.is_dir():
        raise SourceError(f"{place.uri}: is a file; give the folder it is in")
    if not os.access(place.folder, os.R_OK | os.X_OK):
        raise SourceError(f"{place.uri}: may not be read by this user; change the folder's rights")


def _check_bucket_source(place: Place) -> None:
    """Raise SourceError for an address that is a file's, or where files may be listed and not read."""
    parent, _, name = place.root.rpartition("/")
    if parent and replace(place, uri=place.uri.rpartition("/")[0], root=parent).exists(name):
        raise SourceError(f"{place.uri}: is a file; give the folder it is in")


def _bucket_place(scheme: str, root: str, error_class: type[EdgeSegError]) -> Place:
    bucket = root.partition("/")[0]
    if not bucket:
        raise error_class(f"{scheme}://{root}: names no bucket; give {scheme}://bucket/folder")
    if "@" in bucket or ":" in bucket:
        raise error_class(
            f"{scheme}://…: a bucket's name has no ':' or '@', and credentials do not stand in an address"
        )
    for module in ("fsspec", _LIBRARIES[scheme]):
        require_module(module, extra="cluster", purpose=f"{scheme}://")
    return _answering(scheme, root, error_class)


def _answering(scheme: str, root: str, error_class: type[EdgeSegError]) -> Place:
    """Return a place in a bucket once its server has listed the first files."""
    from edge_seg.archive.bucket_pages import keys_below

    until = time.monotonic() + _OPENING_TIMEOUT_S
    place = Place(f"{scheme}://{root}", _bucket_system(scheme), root)  # gcsfs may look for credentials for long
    with told(place.fs, root, place.uri, "list", error_class):
        next(keys_below(place.fs, root, page_timeout_s=max(1.0, until - time.monotonic())), None)
    return place


def _bucket_system(scheme: str) -> FileSystem:
    """Return fsspec's file system; its second listing sees new files."""
    endpoint = next((os.environ[name] for name in _ENDPOINTS[scheme] if os.environ.get(name)), None)
    options: dict[str, Any] = {"use_listings_cache": False} | ({"endpoint_url": endpoint} if endpoint else {})
    if scheme == "s3":
        from s3fs import S3FileSystem  # pyright: ignore

        # One request a file: otherwise s3fs asks for the size first, to read pieces at the same time.
        return S3FileSystem(max_concurrency=1, **options)  # pyright: ignore
    from gcsfs.core import GCSFileSystem  # pyright: ignore - gcsfs's own choice asks for a bucket's kind by gRPC first

    if endpoint:
        options["token"] = "anon"  # as Google's own libraries do with STORAGE_EMULATOR_HOST
    return GCSFileSystem(**options)  # pyright: ignore
