"""What goes wrong with a folder or a bucket, in one sentence."""

import errno
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_seg.errors import EdgeSegError, NameRefusedError, SinkError, StorageError
from edge_seg.sources.addresses import without_secrets
from edge_seg.sources.reasons import quoted

_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to a key file, or type  gcloud auth application-default login",
}
_NO_BUCKET = "there is no such bucket; check its name"
_LONG_NAME = "the name is too long for {server}; shorten it"
_NO_NAME = "that is no name of a bucket; check it"
_NO_RIGHT = "these credentials may not {verb} here ({detail}); grant the right or use others"
_NOT_ACCEPTED = "{server} does not accept the credentials ({detail}); {credentials}"
_SILENT = "{server} did not answer in time; check the address and the network"
_ABSENT = "nobody answers at {server}; check the address and the network"
_ELSE = "{server} cannot {verb} it ({detail}); try again later"

# By S3's error code (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html), Cloud Storage's status or
# the name of the exception's class, so that neither library is imported for a sentence. First what is of this file
# or address alone, then what every other file will meet, too.
_OF_ONE = {
    "InvalidObjectState": "is in an archive of the storage's own; restore it first",
    "AccessDenied": _NO_RIGHT,
    "AllAccessDisabled": _NO_RIGHT,
    "403": _NO_RIGHT,
    "KeyTooLongError": _LONG_NAME,
    "FileNotFoundError": "there is no such file; check the name",
}
_OF_ALL = {
    "NoSuchBucket": _NO_BUCKET,
    "InvalidBucketName": _NO_NAME,
    "ParamValidationError": _NO_NAME,
    "InvalidAccessKeyId": _NOT_ACCEPTED,
    "SignatureDoesNotMatch": _NOT_ACCEPTED,
    "ExpiredToken": _NOT_ACCEPTED,
    "InvalidToken": _NOT_ACCEPTED,
    "401": _NOT_ACCEPTED,
    "GoogleAuthError": _NOT_ACCEPTED,
    "RequestTimeTooSkewed": "the clock of this machine is wrong, says {server} ({detail}); set it",
    "NoCredentialsError": "no credentials were found; {credentials}",
    "PartialCredentialsError": "half of the credentials is missing; {credentials}",
    "ProfileNotFound": "{detail}; check AWS_PROFILE",
    "EndpointConnectionError": _ABSENT,
    "ClientConnectorError": _ABSENT,
    "SSLError": "no secure connection to {server} ({detail}); check whether it begins with http:// or https://",
    "TimeoutError": _SILENT,
    "ConnectTimeoutError": _SILENT,
    "ReadTimeoutError": _SILENT,
}
_REASONS = _OF_ONE | _OF_ALL


@contextmanager
def told(fs: Any, root: str, where: str, verb: str, error_class: type[EdgeSegError]) -> Generator[None]:
    """Turn what a file system raises into one sentence that begins with `where`.

    Args:
        fs: fsspec's file system; decides which exceptions are its own.
        root: the folder that files are in.
        where: the file's address, without secrets.
        verb: "read", "write", "remove" or "list".
        error_class: SourceError or SinkError.

    Raises:
        error_class: this file cannot be read or written.
        StorageError: nor can any other.
    """
    _silence()
    try:
        yield
    except _failures(fs) as error:
        if "file" in fs.protocol:
            raise _local_error(error, root, where, verb, error_class) from None
        raise _bucket_error(error, fs, where, verb, error_class) from None


def _silence() -> None:
    """Keep what each failed request logs, with a traceback, from a user who is told one sentence; a set level stays."""
    for name in ("gcsfs", "google.auth"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL + 1)


def _failures(fs: Any) -> tuple[type[Exception], ...]:
    if "s3" in fs.protocol:
        from aiohttp import ClientError
        from botocore.exceptions import BotoCoreError  # pyright: ignore

        return (OSError, ValueError, BotoCoreError, ClientError)  # pyright: ignore
    if "gs" in fs.protocol:
        from aiohttp import ClientError
        from gcsfs.retry import HttpError  # pyright: ignore
        from google.auth.exceptions import GoogleAuthError

        return (OSError, ValueError, RuntimeError, HttpError, GoogleAuthError, ClientError)  # pyright: ignore
    return (OSError,)


def _local_error(error: Exception, root: str, where: str, verb: str, error_class: type[EdgeSegError]) -> EdgeSegError:
    number, reason = getattr(error, "errno", None), getattr(error, "strerror", None) or str(error)
    if root and not Path(root).is_dir():
        here = socket.gethostname()
        return StorageError(f"{where}: {here} does not see the folder {root}; all machines of a cluster have to")
    if number in (errno.ENOSPC, errno.EDQUOT):
        return error_class(f"{where}: the disk is full; free some space or write to another disk")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return error_class(f"{where}: this user may not {verb} it ({reason}); change its rights or take another folder")
    if number == errno.ENAMETOOLONG:
        return _refused_name(error_class)(f"{where}: the name is too long for this disk; shorten it")
    return error_class(f"{where}: cannot {verb} it ({reason}); check the path")


def _bucket_error(error: Exception, fs: Any, where: str, verb: str, error_class: type[EdgeSegError]) -> EdgeSegError:
    names = _names(error, verb)
    template = next((_REASONS[name] for name in names if name in _REASONS), _ELSE)
    kind = "s3" if "s3" in fs.protocol else "gs"
    words = {"verb": verb, "server": _server(fs), "credentials": _CREDENTIALS[kind], "detail": _detail(error)}
    if template == _LONG_NAME:
        error_class = _refused_name(error_class)
    return (error_class if template in _OF_ONE.values() else StorageError)(f"{where}: {template.format(**words)}")


def _refused_name(error_class: type[EdgeSegError]) -> type[EdgeSegError]:
    return NameRefusedError if issubclass(error_class, SinkError) else error_class


def _names(error: Exception, verb: str) -> list[str]:
    """Return what the tables may know a bucket's error by, the most telling first."""
    code = _code(error)
    absent = verb == "list" and (code == "404" or isinstance(error, FileNotFoundError))
    return ["NoSuchBucket" if absent else code, *(kind.__name__ for kind in type(error).__mro__)]


def _code(error: Exception) -> str:
    """Return S3's error code, or the status of the answer where there is none; an empty text without an answer."""
    if str(error).startswith("Forbidden: "):  # gcsfs makes an OSError of it
        return "403"
    response: Any = getattr(error.__cause__, "response", None) or {}
    code = response.get("Error", {}).get("Code") or response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return str(code or getattr(error, "code", ""))


def _detail(error: Exception) -> str:
    return quoted(str(error)).rstrip(".: ") or type(error).__name__


def _server(fs: Any) -> str:
    endpoint = fs.storage_options.get("endpoint_url")
    if endpoint:
        return without_secrets(endpoint)
    return "Amazon S3" if "s3" in fs.protocol else "Google Cloud Storage"
