"""The machines of a cluster wait for each other, before TensorFlow makes them wait.

TensorFlow's own wait takes an hour, names nobody, and hears no Ctrl-C. So the first machine listens for a moment at the
address that TensorFlow will have; the others tell it their names and what run they are about to do, and all go on when
all are there. The connections stay open.
"""

import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack

_RETRY_S = 0.5
_GO, _ANOTHER_RUN = b"go", b"no"
_LONGEST_INTRODUCTION = 512  # a host name has at most 253 characters (RFC 1035)
_INTRODUCTION_S = 5.0


class MissingMachinesError(Exception):
    """Not all machines came; the message names those that did not."""


class AnotherRunError(Exception):
    """A machine came to do another run; the message names it."""


def wait_for_all(port: int, names: Sequence[str], run_id: str, wait_s: float) -> dict[str, socket.socket]:
    """Listen on `port` until machines of all `names` are there, let them go on, and return the connections to them.

    Raises:
        MissingMachinesError: some did not come within `wait_s` seconds.
        AnotherRunError: one of them has another `run_id`.
        OSError: the port is in use.
    """
    deadline, there = time.monotonic() + wait_s, dict[str, socket.socket]()
    with ExitStack() as guests:
        with socket.create_server(("", port)) as listener:
            while missing := sorted(set(names) - there.keys()):
                try:
                    guest = guests.enter_context(_accepted(listener, deadline))
                except TimeoutError:
                    raise MissingMachinesError(", ".join(missing)) from None
                name, its_run = _introduction(guest, min(deadline, time.monotonic() + _INTRODUCTION_S))
                there[name] = guest  # or one that is not of ours, or gave up
                if name in names and its_run != run_id:
                    _say(guest, _ANOTHER_RUN, name)
                    raise AnotherRunError(name)
        for name in names:
            _say(there[name], _GO, name)
        return {name: there[name].dup() for name in names}  # strangers and those who gave up are closed


def wait_for_first(address: tuple[str, int], name: str, run_id: str, wait_s: float) -> socket.socket:
    """Tell the machine at `address` that `name` is there, wait until it lets all go on, and return the connection.

    Raises:
        MissingMachinesError: it did not answer, or did not have all together, within `wait_s` seconds.
        AnotherRunError: it has another `run_id`.
    """
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        try:
            with ExitStack() as connected:
                first = connected.enter_context(socket.create_connection(address, timeout=_left(deadline)))
                first.sendall(f"{name} {run_id}".encode())
                first.settimeout(_left(deadline))
                answer = first.recv(len(_GO))
                if answer == _ANOTHER_RUN:
                    raise AnotherRunError(f"{address[0]}:{address[1]}")
                if answer == _GO:
                    connected.pop_all()
                    return first
        except OSError:
            pass  # it is not there yet
        time.sleep(_RETRY_S)
    raise MissingMachinesError(f"{address[0]}:{address[1]}, or others that it waits for")


def _accepted(listener: socket.socket, deadline: float) -> socket.socket:
    listener.settimeout(_left(deadline))
    return listener.accept()[0]


def _introduction(guest: socket.socket, deadline: float) -> tuple[str, str]:
    guest.settimeout(_left(deadline))
    try:
        name, _, run_id = guest.recv(_LONGEST_INTRODUCTION).decode(errors="replace").rpartition(" ")
    except OSError:
        return "", ""
    return name, run_id


def _say(guest: socket.socket, word: bytes, name: str) -> None:
    try:
        guest.sendall(word)
    except OSError:
        raise MissingMachinesError(name) from None


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())
