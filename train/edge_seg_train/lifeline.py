"""The machines of a cluster stay connected to the first, so that all end when one of them does.

TensorFlow's own heartbeat takes 10 to 20 seconds for it, does not say which one it was, and cannot tell a machine that
is done from one that is lost. It is left what nothing but a heartbeat notices: a machine that hangs.
"""

import selectors
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread

_FINISHED = b"finished"  # no machine is called so: their names have a port
_LONGEST_MESSAGE = 512

# A connection that says nothing for hours stays known to firewalls, and a machine that lost its power is noticed.
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 10), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 4))  # s, s, times


class Lifeline:
    """The connections of one machine: the first is connected to all others, those to the first, one alone to nobody."""

    def __init__(
        self,
        peers: Mapping[str, socket.socket],
        *,
        is_first: bool = True,
        when_lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Watch the connections to `peers`, by name; `when_lost` is called with a name from another thread, once."""
        self._peers, self._is_first, self._when_lost = peers, is_first, when_lost
        self._finished = False
        self.lost: str | None = None
        """The machine that ended before the run did."""
        self._watcher = Thread(target=self._watch, daemon=True)
        if peers:
            for each in peers.values():
                _keep_alive(each)
            self._watcher.start()

    @property
    def has_peers(self) -> bool:
        """True when the run has several machines."""
        return bool(self._peers)

    def wait_for_loss(self, wait_s: float) -> str | None:
        """Return the machine that is lost; TensorFlow may be the first to notice, by up to `wait_s` seconds."""
        if self._peers:
            self._watcher.join(wait_s)
        return self.lost

    def finish(self) -> None:
        """End in order: the first machine lets the others go, and they wait for that.

        So all begin again together, whichever is lost, until the run folder is whole. The first needs nobody then.
        """
        if not self._peers:
            return
        if self._is_first:
            self._finished = True
            self._tell(_FINISHED)
        self._watcher.join()
        if self._is_first:
            self.lost = None

    def close(self) -> None:
        """Leave; for the others this machine is lost, unless it has finished."""
        self._finished = True
        for each in self._peers.values():
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        if self._peers:
            self._watcher.join()
        for each in self._peers.values():
            each.close()

    def _watch(self) -> None:
        lost = self._first_to_end() if self._is_first else self._told_by_first()
        if self._finished:
            return
        self.lost = lost
        if self._is_first:
            self._tell(lost.encode())
        self._when_lost(lost)

    def _first_to_end(self) -> str:
        with selectors.DefaultSelector() as selector:
            for name, guest in self._peers.items():
                selector.register(guest, selectors.EVENT_READ, name)
            return selector.select()[0][0].data  # they say nothing: what there is to read is the end

    def _told_by_first(self) -> str:
        ((name, first),) = self._peers.items()
        try:
            message = first.recv(_LONGEST_MESSAGE)
        except OSError:
            message = b""
        self._finished |= message == _FINISHED
        return message.decode() or name

    def _tell(self, message: bytes) -> None:
        for guest in self._peers.values():
            with suppress(OSError):
                guest.sendall(message)
                guest.shutdown(socket.SHUT_RDWR)


def _keep_alive(connection: socket.socket) -> None:
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE:
        connection.setsockopt(socket.IPPROTO_TCP, option, value)
