"""Addresses of network sources in messages and file names: never with a password."""

import re
from urllib.parse import SplitResult, urlsplit

from edge_seg.errors import SourceError


def check_address(url: str) -> None:
    """Raise SourceError for a URL that cannot be taken apart; it is not shown, for a password may be anywhere in it."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise SourceError(
            f"{url.partition('://')[0]}://…: is no address, its host or port cannot be told; "
            "write it as http://user:password@host:port/…, and / ? # @ of a password as %2F %3F %23 %40"
        ) from None


def without_secrets(url: str) -> str:
    """Return a URL without user, password and query, which may hold either."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"


def stream_name(url: str) -> str:
    """Return a file-name-safe name for a stream: its host and path."""
    parts = urlsplit(url)
    text = parts.netloc.rpartition("@")[2] + parts.path
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") or "stream"


def host_and_port(parts: SplitResult, default_port: int) -> tuple[str, int]:
    """Return where to connect to.

    Raises:
        ValueError: no host, or a port that is no number up to 65535.
    """
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or default_port
