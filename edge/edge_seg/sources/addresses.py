"""Addresses of network sources in messages and file names: never with a password."""

import re
from urllib.parse import SplitResult, urlsplit


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
