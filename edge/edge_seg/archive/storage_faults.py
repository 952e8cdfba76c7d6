"""What goes wrong with a folder or a bucket, in one sentence."""

import errno
import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from edge_seg.errors import EdgeSegError
from edge_seg.sources.addresses import without_secrets
from edge_seg.sources.reasons import quoted

_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to a key file, or type  gcloud auth application-default login",
}
# By the name of the exception's class or of S3's error code, so that neither library is imported for a sentence.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
_NOT_ACCEPTED = "the server does not accept the credentials ({detail}); {credentials}"
_NO_RIGHT = "these credentials may not {verb} here ({detail}); grant the right or use other credentials"
_REASONS = {
    "NoSuchBucket": "there is no such bucket; check its name",
    "InvalidBucketName": "that is no name of a bucket; check it",
    "ParamValidationError": "that is no name of a bucket; check it",
    "AccessDenied": _NO_RIGHT,
    "AllAccessDisabled": _NO_RIGHT,
    "InvalidAccessKeyId": _NOT_ACCEPTED,
    "SignatureDoesNotMatch": _NOT_ACCEPTED,
    "ExpiredToken": _NOT_ACCEPTED,
    "InvalidToken": _NOT_ACCEPTED,
    "RequestTimeTooSkewed": "the clock of this machine is wrong ({detail}); set it",
    "NoCredentialsError": "no credentials were found; {credentials}",
    "PartialCredentialsError": "half of the credentials is missing; {credentials}",
    "ProfileNotFound": "{detail}; check AWS_PROFILE",
    "GoogleAuthError": _NOT_ACCEPTED,
    "EndpointConnectionError": "nobody answers at {server}; check the address and the network",
    "ClientConnectorError": "nobody answers at {server}; check the address and the network",
    "SSLError": "no secure connection to {server} ({detail}); check whether it begins with http:// or https://",
    "TimeoutError": "{server} did not answer in time; check the address and the network",
    "ConnectTimeoutError": "{server} did not answer in time; check the address and the network",
    "ReadTimeoutError": "{server} did not answer in time; check the address and the network",
    "PermissionError": _NO_RIGHT,
    "FileNotFoundError": "there is no such file or bucket; check the address",
}
_LOCAL_REASONS = {
    errno.ENOENT: "is not there",
    errno.EACCES: "may not be {verb} by this user",
}


@contextmanager
def told(fs: Any, where: str, verb: str, error_class: type[EdgeSegError]) -> Generator[None]:
    """Turn what a file system raises into `error_class` with one sentence that begins with `where`.

    Args:
        fs: the file system; decides which exceptions are its own.
        where: the address, without secrets.
        verb: "read" or "write".
        error_class: SourceError or SinkError.
    """
    _silence()
    try:
        yield
    except _failures(fs) as error:
        raise error_class(f"{where}: {_reason(fs, error, verb)}") from None


def _silence() -> None:
    """Keep gcsfs from printing a traceback of each failed request, unless somebody set its level."""
    logger = logging.getLogger("gcsfs")
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


def _reason(fs: Any, error: Exception, verb: str) -> str:
    if isinstance(error, OSError) and "file" in fs.protocol:
        return f"cannot be {'read' if verb == 'read' else 'written'} ({error.strerror or error}); check the path"
    names = [_code(error), *(kind.__name__ for kind in type(error).__mro__)]
    template = next((_REASONS[name] for name in names if name in _REASONS), "cannot {verb} here ({detail})")
    kind = "s3" if "s3" in fs.protocol else "gs"
    detail = quoted(str(error)) or type(error).__name__
    return template.format(verb=verb, detail=detail, server=server_of(fs), credentials=_CREDENTIALS[kind])


def _code(error: Exception) -> str:
    """Return S3's error code, or an empty text."""
    response: Any = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def server_of(fs: Any) -> str:
    """Return the address of a bucket's server without secrets, or the service's name."""
    endpoint = fs.storage_options.get("endpoint_url")
    if endpoint:
        return without_secrets(endpoint)
    return "Amazon S3" if "s3" in fs.protocol else "Google Cloud Storage"
