"""Where a model is fetched from, in parts of which none gets into a message by mistake."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from edge_seg.alerts.network import check_plaintext, parse_address, shown
from edge_seg.errors import AlertError, UpdateError
from edge_seg.updates.manifest import MANIFEST_SUFFIX

_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class Address:
    """An address without user and password, and what goes with a request to it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """User and password of the address, as HTTP's basic authentication."""

    @property
    def shown(self) -> str:
        """Scheme, host and port, for messages."""
        return shown(urlsplit(self.url))

    @property
    def manifest(self) -> "Address":
        """Where the model's manifest lies: beside it."""
        parts = urlsplit(self.url)
        return Address(urlunsplit(parts._replace(path=parts.path + MANIFEST_SUFFIX)), self.headers)

    def redirected(self, location: str) -> "Address":
        """Return where a redirection leads to.

        Raises:
            UpdateError: to another host, unless it is HTTPS; from HTTPS to HTTP; or to no address.
        """
        here = urlsplit(self.url)
        try:
            there = _parts(urljoin(self.url, location))
        except (ValueError, UpdateError):
            raise UpdateError(
                f"{shown(here)}: redirects to what is no address by http or https; give the final address"
            ) from None
        same_host = there.hostname == here.hostname
        if there.scheme == "http" and not (same_host and here.scheme == "http"):
            raise UpdateError(f"{shown(here)}: redirects to {shown(there)}, unencrypted; give the final address")
        same_origin = same_host and shown(there) == shown(here)
        return Address(_plain(there), self.headers if same_origin else {})


def parse_model_address(url: str, *, plaintext: bool) -> Address:
    """Read the address of a model; user and password may stand in it.

    Raises:
        UpdateError: it is no address by HTTP, or an unencrypted one of a public host while `plaintext` is False.
    """
    parts = _parts(url)
    if parts.scheme == "http":
        try:
            check_plaintext(parts, allowed=plaintext, secure_scheme="https", doing="fetch models")
        except AlertError as error:
            raise UpdateError(str(error)) from None
    return Address(_plain(parts), _authorization(parts))


def _parts(url: str) -> SplitResult:
    try:
        return parse_address(url, _SCHEMES)
    except AlertError as error:
        raise UpdateError(str(error)) from None


def _plain(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _authorization(parts: SplitResult) -> dict[str, str]:
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
