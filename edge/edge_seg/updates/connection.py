"""Asking a web server for one file: limits of time, redirections, proxies, and one sentence for what goes wrong."""

import http
import http.client
import re
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from edge_seg import __version__
from edge_seg.alerts.network import tls_context, why
from edge_seg.errors import AlertError, UpdateError
from edge_seg.updates.address import Address
from edge_seg.updates.limits import Limits
from edge_seg.updates.pools import pools
from edge_seg.updates.watchdog import Watchdog

_MOST_REDIRECTIONS = 5
_PIECE_BYTES = 1 << 16
_ETAG = re.compile(r'(W/)?"[!#-~\x80-\xff]*"')
_HEADERS = {"User-Agent": f"edge-seg/{__version__}", "Accept-Encoding": "identity"}


class BrokenOffError(UpdateError):
    """The connection ended in the middle of an answer; the rest may be asked for."""


@dataclass(frozen=True)
class Answer:
    """What a server answers, its body not yet read."""

    place: str
    """The server, for messages."""
    response: urllib3.BaseHTTPResponse
    watchdog: Watchdog

    @property
    def status(self) -> int:
        """HTTP's."""
        return self.response.status

    @property
    def etag(self) -> str:
        """The ETag with its quotes; empty where there is none, or one that breaks HTTP's rules."""
        return etag_or_empty(self.header("ETag"))

    @property
    def size_bytes(self) -> int | None:
        """What the server says that it sends."""
        value = self.header("Content-Length")
        return int(value) if value.isascii() and value.isdecimal() else None

    def header(self, name: str) -> str:
        """Return a header; empty where there is none."""
        return self.response.headers.get(name, "")

    def refusal(self, what: str) -> UpdateError:
        """Say that this is no answer to `what` was asked for."""
        status = http.HTTPStatus(self.status) if self.status in set(http.HTTPStatus) else None
        said = f"{self.place}: answers {self.status}{f' {status.phrase}' if status else ''} for the {what}"
        return UpdateError(f"{said}{_CURES.get(self.status, '')}")

    def pieces(self, what: str) -> Iterator[bytes]:
        """Yield the body as it comes.

        Raises:
            UpdateError: too slow, or not sent as it is.
            BrokenOffError: it ended early.
        """
        if self.header("Content-Encoding").lower() not in ("", "identity"):
            raise UpdateError(f"{self.place}: compresses the {what} on the way; switch that off for this file")
        try:
            while piece := self.response.read1(_PIECE_BYTES, decode_content=False):
                self.watchdog.received(len(piece))
                yield piece
        except urllib3.exceptions.HTTPError:
            self._check_pace()
            raise BrokenOffError(
                f"{self.place}: the connection ends in the middle of the {what}; it is asked again later"
            ) from None
        self._check_pace()

    def _check_pace(self) -> None:
        if self.watchdog.verdict:
            raise UpdateError(f"{self.place}: {self.watchdog.verdict}")


class Client:
    """Asks for files, one at a time; no connection is kept."""

    def __init__(self, limits: Limits, ca_file: Path | None, stopping: threading.Event) -> None:
        """Read the certificates.

        Raises:
            UpdateError: `ca_file` holds none.
        """
        self._limits, self._stopping = limits, stopping
        try:
            self._context = tls_context(ca_file)
        except AlertError as error:
            raise UpdateError(str(error)) from None

    @contextmanager
    def get(self, address: Address, headers: Mapping[str, str]) -> Generator[Answer]:
        """Ask for a file, over redirections.

        Raises:
            UpdateError: no answer, one that is too slow, or redirections that lead astray.
        """
        with Watchdog(self._limits, self._stopping) as watchdog:
            answer = self._followed(address, headers, watchdog)
            try:
                yield answer
            finally:
                answer.response.close()

    def _followed(self, address: Address, headers: Mapping[str, str], watchdog: Watchdog) -> Answer:
        for _ in range(_MOST_REDIRECTIONS + 1):
            response = self._ask(address, headers, watchdog)
            location = response.get_redirect_location()
            if not location:
                return Answer(address.shown, response, watchdog)
            response.close()
            address = address.redirected(location)
        raise UpdateError(f"{address.shown}: redirects more than {_MOST_REDIRECTIONS} times; give the final address")

    def _ask(self, address: Address, headers: Mapping[str, str], watchdog: Watchdog) -> urllib3.BaseHTTPResponse:
        try:
            return pools(address.url, watchdog, self._context, self._limits).request(
                "GET",
                address.url,
                headers={**_HEADERS, **address.headers, **headers},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise UpdateError(f"{address.shown}: {watchdog.verdict or _reason(error)}") from None


def etag_or_empty(text: str) -> str:
    """Return what may be sent back to a server as an ETag; empty for anything else."""
    return text if _ETAG.fullmatch(text) else ""


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    over = "over the environment's proxy: " if isinstance(error, urllib3.exceptions.ProxyError) else ""
    return f"{over}{_cause(error)}"


def _cause(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ConnectionError) and cause.errno is None:
            return "hangs up"
        if isinstance(cause, OSError):
            return why(cause)
        if isinstance(cause, http.client.HTTPException):
            return "does not speak HTTP; check the address"
    return "gives no answer; check the address"


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    for inner in (error.__cause__, error.__context__, *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)


_CURES = {
    401: ": put user and password into the address, https://user:password@host/…",
    403: ": give this device the right to read it",
    404: ": model and manifest belong beside each other; check the address",
}
