"""The machines of a cluster wait for each other, before TensorFlow makes them wait.

TensorFlow's own wait takes an hour, names nobody, and hears no Ctrl-C. So the first machine listens for a moment at the
address that TensorFlow will have; the others tell it their names, and all go on when all are there.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

_RETRY_S = 0.5
_GO = b"go"
_LONGEST_NAME = 512  # a host name has at most 253 characters (RFC 1035)
_INTRODUCTION_S = 5.0


class MissingMachinesError(Exception):
    """Not all machines came; the message names those that did not."""


def wait_for_all(port: int, names: Sequence[str], wait_s: float) -> None:
    """Listen on `port` until machines of all `names` are there, and let them go on.

    Raises:
        MissingMachinesError: some did not come within `wait_s` seconds.
        OSError: the port is in use.
    """
    deadline, there = time.monotonic() + wait_s, dict[str, socket.socket]()
    with ExitStack() as open_sockets:
        listener = open_sockets.enter_context(socket.create_server(("", port)))
        while missing := sorted(set(names) - there.keys()):
            try:
                guest = open_sockets.enter_context(_accepted(listener, deadline))
            except TimeoutError:
                raise MissingMachinesError(", ".join(missing)) from None
            try:
                there[_told(guest, min(deadline, time.monotonic() + _INTRODUCTION_S))] = guest
            except OSError:
                continue  # not one of ours, or one that gave up
        for name in names:
            _let_go(there[name], name)
        for name in names:
            _told(there[name], deadline)  # they close first, so that the port is free at once


def wait_for_first(address: tuple[str, int], name: str, wait_s: float) -> None:
    """Tell the machine at `address` that `name` is there, and wait until it lets all go on.

    Raises:
        MissingMachinesError: it did not answer, or did not have all together, within `wait_s` seconds.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(address, timeout=_left(deadline)) as first:
                first.sendall(name.encode())
                first.settimeout(_left(deadline))
                if first.recv(len(_GO)) == _GO:
                    return
        except OSError:
            pass  # it is not there yet
        time.sleep(_RETRY_S)
    raise MissingMachinesError(f"{address[0]}:{address[1]}, or others that it waits for")


def _accepted(listener: socket.socket, deadline: float) -> socket.socket:
    listener.settimeout(_left(deadline))
    return listener.accept()[0]


def _let_go(guest: socket.socket, name: str) -> None:
    try:
        guest.sendall(_GO)
    except OSError:
        raise MissingMachinesError(name) from None


def _told(guest: socket.socket, deadline: float) -> str:
    guest.settimeout(_left(deadline))
    return guest.recv(_LONGEST_NAME).decode(errors="replace")


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())
