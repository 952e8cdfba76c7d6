"""uvicorn on a thread of its own: no signal handlers, no log, and an end that waits for nobody."""

import asyncio
import functools
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge_seg.errors import SinkError

_MOST_CONNECTIONS = 256
_LARGEST_HEAD_BYTES = 16 * 1024
_KEEP_ALIVE_S = 15
_WRITE_BUFFER_BYTES = 32 * 1024
_LOOK_EVERY_S = 0.2
_GRACE_S = 0.5
"""How long a viewer that does not read may keep the server from ending."""


class ServerThread:
    """Serves an application on a listening socket until `stop`."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        on_start: Callable[[asyncio.AbstractEventLoop], None],
        *,
        head_timeout_s: float = 10.0,
    ) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=functools.partial(_Protocol, head_timeout_s),  # pyright: ignore[reportArgumentType]
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level=logging.CRITICAL,
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=_LARGEST_HEAD_BYTES,
        )
        self._server = _Server(config, on_start)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="edge-seg-web", daemon=True)

    def start(self) -> None:
        """Return once requests are answered.

        Raises:
            SinkError: the server ended instead.
        """
        self._thread.start()
        while not self._server.answering.wait(_LOOK_EVERY_S):
            if not self._thread.is_alive():
                raise SinkError("the live page's server did not start; serve on another port")

    def stop(self) -> None:
        """End within a second, whoever is connected. Harmless when done twice."""
        self._server.should_exit = True
        self._thread.join()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_start: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        super().__init__(config)
        self._on_start = on_start
        self.answering = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_start(asyncio.get_running_loop())
        self.answering.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_GRACE_S, self._cut_off)
        await super().shutdown(sockets)

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Protocol(H11Protocol):
    """HTTP/1.1 with a small write buffer, and a limit to how long a client may take over a request's head."""

    def __init__(self, head_timeout_s: float, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timeout_s = head_timeout_s
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]
        self.transport.set_write_buffer_limits(high=_WRITE_BUFFER_BYTES)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        if self._is_answering:
            self._forget_timer()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self._head_timeout_s, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        if not self._is_answering:
            self.transport.abort()

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    @property
    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete  # uvicorn has no cycle before the first request
