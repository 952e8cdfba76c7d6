"""Where a model is fetched from, in parts of which none gets into a message by mistake."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from edge_seg.alerts.network import check_plaintext, parse_address, shown
from edge_seg.errors import AlertError, UpdateError
from edge_seg.updates.manifest import MANIFEST_SUFFIX

_SCHEMES = ("http", "https")
_LONGEST_SHOWN_PATH = 120


@dataclass(frozen=True)
class Address:
    """An address without user and password, and what goes with a request to it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """User and password of the address, as HTTP's basic authentication."""
    is_redirected: bool = field(default=False, repr=False)
    """Whether a server led here; its path may be another one each time."""

    @property
    def shown(self) -> str:
        """Scheme, host, port and, of what was asked for, the path, for messages; the same for the same fault."""
        parts = urlsplit(self.url)
        return shown(parts) if self.is_redirected else f"{shown(parts)}{_shown_path(parts.path)}"

    @property
    def manifest(self) -> "Address":
        """Where the model's manifest lies: beside it."""
        parts = urlsplit(self.url)
        return Address(urlunsplit(parts._replace(path=parts.path + MANIFEST_SUFFIX)), self.headers, self.is_redirected)

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
                f"{self.shown}: redirects to what is no address by http or https; give the final address"
            ) from None
        same_host = there.hostname == here.hostname
        if there.scheme == "http" and not (same_host and here.scheme == "http"):
            raise UpdateError(f"{self.shown}: redirects to {shown(there)}, unencrypted; give the final address")
        same_origin = same_host and shown(there) == shown(here)
        return Address(_plain(there), self.headers if same_origin else {}, is_redirected=True)


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


def _shown_path(path: str) -> str:
    """Return a path in ASCII; none with an @, before which a part of a password may stand that has a / in it."""
    return "" if "@" in path else quote(path, safe="/%:;,=+!$&'()*~")[:_LONGEST_SHOWN_PATH]


def _plain(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))


def _authorization(parts: SplitResult) -> dict[str, str]:
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
