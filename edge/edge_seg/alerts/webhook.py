"""Webhooks: each event is POSTed as JSON, as `edge_seg.alerts.event` describes it.

With pictures, the key `snapshot_jpeg` holds the snapshot in base64. The header `Idempotency-Key` is the event's
id. Answers 2xx confirm; 408, 425, 429, 5xx and no answer are tried again; anything else, redirections included,
refuses the event. The standard library's client does: one small request now and then, and it knows the
environment's proxies.
"""

import base64
import http.client
import json
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit, urlunsplit

from edge_seg import __version__
from edge_seg.alerts.courier import Refused, Unreachable
from edge_seg.alerts.event import AlertEvent
from edge_seg.alerts.network import check_plaintext, parse_address, shown, tls_context, why

_TIMEOUT_S = 10.0
_LONGEST_RETRY_AFTER_S = 300.0
_LATER = frozenset({408, 425, 429})


class Webhook:
    """Posts events to one URL."""

    def __init__(
        self,
        url: str,
        folder: Path,
        *,
        token: str | None = None,
        pictures: bool = False,
        ca_file: Path | None = None,
        plaintext: bool = False,
        timeout_s: float = _TIMEOUT_S,
    ) -> None:
        """Check the address; nothing is sent yet.

        Args:
            url: http:// or https://; a user and password in it become HTTP's basic authentication.
            folder: what snapshots' paths are relative to.
            token: sent as a bearer token.
            pictures: send the snapshots, too.
            ca_file: certificates to trust beside the system's.
            plaintext: allow http:// to public addresses.
            timeout_s: for each wait on the network.

        Raises:
            AlertError: no such address, or one that would send alerts in the clear.
        """
        parts = parse_address(url, ("http", "https"))
        if parts.scheme == "http":
            check_plaintext(parts, allowed=plaintext, secure_scheme="https")
        self.name = f"webhook {shown(parts)}"
        self._folder, self._pictures, self._timeout_s = folder, pictures, timeout_s
        self._url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        self._headers = {
            "Content-Type": "application/json",
            "User-Agent": f"edge-seg/{__version__}",
            **_authorization(unquote(parts.username or ""), unquote(parts.password or ""), token),
        }
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=tls_context(ca_file)), _NoRedirection()
        )

    def deliver(self, event: AlertEvent) -> None:
        """Post one event."""
        headers = {**self._headers, "Idempotency-Key": event.id}
        request = urllib.request.Request(self._url, self._body(event), headers, method="POST")
        try:
            with self._opener.open(request, timeout=self._timeout_s):
                return
        except urllib.error.HTTPError as error:
            with error:
                raise _answer(error.code, error.reason, error.headers) from None
        except urllib.error.URLError as error:
            cause = error.reason
            raise Unreachable(why(cause) if isinstance(cause, BaseException) else str(cause)) from None
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(why(error)) from None

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _body(self, event: AlertEvent) -> bytes:
        record: dict[str, str | int | float | None] = event.record()
        if self._pictures:
            record["snapshot_jpeg"] = _read_base64(self._folder / event.snapshot) if event.snapshot else None
        return json.dumps(record).encode()


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """Following one would turn the POST into a GET, and may leave HTTPS."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


def _authorization(user: str, password: str, token: str | None) -> dict[str, str]:
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user:
        return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
    return {}


def _answer(status: int, reason: str, headers: Message) -> Unreachable | Refused:
    said = f"answers {status} {reason}".rstrip()
    if status in _LATER or status >= 500:
        return Unreachable(said, _retry_after_s(headers.get("Retry-After")))
    if 300 <= status < 400:
        elsewhere = urlsplit(headers.get("Location", ""))
        return Refused(f"{said}, which leads to {shown(elsewhere)}: give the final address")
    return Refused(said)


def _retry_after_s(value: str | None) -> float | None:
    """Read the header's seconds; its other form, a date, asks for nothing the back-off does not do."""
    return min(float(value), _LONGEST_RETRY_AFTER_S) if value and value.strip().isdecimal() else None


def _read_base64(path: Path) -> str | None:
    try:
        return base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return None
