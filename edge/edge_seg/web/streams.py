"""Answers that go on: motion JPEG and server-sent events, to a bounded number of viewers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from edge_seg.telemetry import Telemetry
from edge_seg.web.messages import state_message
from edge_seg.web.pictures import Pictures
from edge_seg.web.view import View
from edge_seg.web.wakeup import Wakeup

_BOUNDARY = b"edge-seg-frame"
MJPEG_TYPE = f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"
EVENTS_TYPE = "text/event-stream"
_STATE_EVERY_S = 1.0
_RETRY_MS = 1500


class Seats:
    """How many streams of one kind are open, and how many may be."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0


class SeatedStream(StreamingResponse):
    """A stream that takes a seat while it lasts, and says 503 when there is none."""

    def __init__(self, content: AsyncIterator[bytes], seats: Seats, media_type: str) -> None:
        super().__init__(content, media_type=media_type)
        self._seats = seats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "HEAD":
            await PlainTextResponse(media_type=self.media_type)(scope, receive, send)
            return
        if self._seats.taken >= self._seats.most:
            sentence = f"{self._seats.most} viewers are looking already; close one or try again later\n"
            await PlainTextResponse(sentence, 503, {"Retry-After": "10"})(scope, receive, send)
            return
        self._seats.taken += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seats.taken -= 1


async def motion_jpeg(pictures: Pictures, view: View) -> AsyncIterator[bytes]:
    """Give multipart/x-mixed-replace parts. The boundary follows its part at once: browsers show a part only then."""
    yield b"--" + _BOUNDARY + b"\r\n"
    async for picture in pictures.watch(view):
        head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n".encode()
        yield head + picture.jpeg + b"\r\n--" + _BOUNDARY + b"\r\n"


async def events(hello: dict[str, Any], telemetry: Telemetry, wakeup: Wakeup, viewers: Seats) -> AsyncIterator[bytes]:
    """Give server-sent events: `hello` once, then `state` every second and at once when something happens.

    https://html.spec.whatwg.org/multipage/server-sent-events.html
    """
    yield f"retry: {_RETRY_MS}\n\n".encode() + sse("hello", hello)
    while True:
        woken, closing = wakeup.next(), wakeup.closed
        yield sse("state", state_message(telemetry.state(), viewers.taken))
        if closing:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(woken.wait(), _STATE_EVERY_S)


def sse(event: str, value: Any) -> bytes:
    """Return one server-sent event; JSON holds no line break."""
    return f"event: {event}\ndata: {json.dumps(value, ensure_ascii=False, allow_nan=False)}\n\n".encode()
