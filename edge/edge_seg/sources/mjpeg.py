"""MJPEG over HTTP, and addresses of single JPEG pictures, which are asked for again and again."""

import http.client
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit

from edge_seg.errors import SourceError
from edge_seg.sources.addresses import stream_name, without_secrets
from edge_seg.sources.capture import LONGEST_SILENCE_S, Camera, Capture, Grabbed
from edge_seg.sources.jpeg import decode_jpeg
from edge_seg.sources.multipart import MultipartReader
from edge_seg.sources.options import SourceOptions
from edge_seg.sources.reasons import quoted, reason_of

_CHUNK_BYTES = 2**16
_LARGEST_SNAPSHOT_BYTES = 2**25
_POLLS_PER_S = 1.0


class HttpCamera:
    """What an http address gives: an MJPEG stream, single pictures, or something for `fallback` to open.

    Redirects are followed; user and password of the address answer basic and digest authentication.
    No proxy is used: cameras are near.
    """

    def __init__(self, url: str, options: SourceOptions, fallback: Camera) -> None:
        self.name, self.label = stream_name(url), without_secrets(url)
        self._url, self._opener = _opener(url)
        self._rate = options.rate or _POLLS_PER_S
        self._fallback = fallback

    @property
    def longest_silence_s(self) -> float:
        """How long it may take to open, and between two pictures."""
        return max(LONGEST_SILENCE_S, 1.5 / self._rate, self._fallback.longest_silence_s)

    def open(self) -> Capture:
        """Ask for the address; what the answer says it is decides how it is read."""
        with self.errors():
            response = self.ask()
        content = response.headers.get_content_type()
        if content.startswith("multipart/"):
            return MjpegCapture(self, response)
        response.close()
        if content == "image/jpeg":
            return SnapshotCapture(self, self._rate)
        return self._fallback.open()

    def ask(self) -> Any:
        """Send the request; return the answer, which the caller closes."""
        request = urllib.request.Request(self._url, headers={"User-Agent": "edge-seg", "Accept": "*/*"})
        return self._opener.open(request, timeout=LONGEST_SILENCE_S)

    @contextmanager
    def errors(self) -> Generator[None]:
        """Turn every way HTTP can fail into a SourceError that begins with the label."""
        try:
            yield
        except HTTPError as error:
            error.close()
            raise SourceError(f"{self.label}: {_refusal(error)}") from None
        except URLError as error:
            cause = error.reason
            reason = reason_of(cause) if isinstance(cause, OSError) else quoted(str(cause))
            raise SourceError(f"{self.label}: {reason}; check the address, the camera and the network") from None
        except OSError as error:
            raise SourceError(f"{self.label}: {reason_of(error)}; check the camera and the network") from None
        except http.client.HTTPException as error:
            raise SourceError(f"{self.label}: does not speak HTTP ({quoted(repr(error))}); check the address") from None
        except (ValueError, LookupError) as error:  # urllib's words for authentication it does not know or understand
            raise SourceError(f"{self.label}: {quoted(str(error))}; check the address") from None
        except SourceError as error:
            raise SourceError(f"{self.label}: {error}") from None


class MjpegCapture:
    """Pictures of an MJPEG stream."""

    fps = None

    def __init__(self, camera: HttpCamera, response: Any) -> None:
        self._camera, self._response = camera, response
        boundary = response.headers.get_boundary()
        self._reader = MultipartReader(partial(response.read1, _CHUNK_BYTES), boundary)

    def grab(self) -> Grabbed:
        """Read on to the end of the next picture."""
        with self._camera.errors():
            body = self._reader.next_body()
        return Grabbed(partial(decode_jpeg, body), time.monotonic())

    def close(self) -> None:
        """Hang up."""
        self._response.close()


class SnapshotCapture:
    """Pictures of an address that gives one at a time."""

    def __init__(self, camera: HttpCamera, rate: float) -> None:
        self._camera = camera
        self.fps = rate
        self._due_s = time.monotonic()

    def grab(self) -> Grabbed:
        """Wait until the next picture is due, and ask for it."""
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._due_s = max(self._due_s, time.monotonic() - 1 / self.fps) + 1 / self.fps
        with self._camera.errors(), self._camera.ask() as response:
            body = response.read(_LARGEST_SNAPSHOT_BYTES)
        return Grabbed(partial(decode_jpeg, body), time.monotonic())

    def close(self) -> None:
        """Do nothing: each picture has a connection of its own."""


class _CloseRefusal(urllib.request.BaseHandler):
    """Closes the answer that asks for a password, which urllib leaves open when it asks again with one."""

    handler_order = 100

    def http_error_401(self, _request: Any, answer: Any, *_: Any) -> None:
        """Close it; the handlers of authentication come next."""
        answer.close()


def _opener(url: str) -> tuple[str, urllib.request.OpenerDirector]:
    """Return the URL without user and password, and what opens it with them."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    bare = urlunsplit(parts._replace(netloc=host, fragment=""))
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        root = f"{parts.scheme}://{host}/"
        passwords.add_password(None, root, unquote(parts.username), unquote(parts.password or ""))
    return bare, urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        _CloseRefusal(),
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPDigestAuthHandler(passwords),
    )


def _refusal(error: HTTPError) -> str:
    if error.code in (401, 403):
        return (
            f"answers {error.code}, it wants another user or password; "
            "give them in the address: http://user:password@host/…"
        )
    return f"answers {error.code} {quoted(str(error.reason))}; check the address"
