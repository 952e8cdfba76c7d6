"""Joining a Ray cluster, or starting one on this machine.

auto      the cluster that RAY_ADDRESS names, else one that runs on this machine, else one that is started here
local     one that is started here, whatever else runs
HOST:PORT the cluster whose head listens there (`ray start --head` says where: 6379 unless told otherwise)

The command runs on a machine of the cluster: Ray Data does not go through Ray's client, ray://. A cluster that was
started with a token takes RAY_AUTH_MODE=token and the token; where RAY_AUTH_MODE is not set, a token that is there is
used, as `ray start` does.
"""

import logging
import os
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from edge_seg.errors import EdgeSegError
from edge_seg.parallel import core_count
from edge_seg.runtimes.quiet import quiet_stderr

_ANSWER_TIMEOUT_S = 5.0
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""What a client says first: RFC 9113's magic words and an empty frame of settings."""

_ENDING = (signal.SIGINT, signal.SIGTERM)
_TOKEN_VARIABLES = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
_TOKEN_FILE = Path("~/.ray/auth_token")
_OBJECT_STORE_BYTES = 200 * 2**20
"""Names and rows go through it, no pictures."""


def wanted_address(address: str) -> str:
    """Return what `auto` means in this environment; anything else stands for itself.

    Raises:
        EdgeSegError: no address at all, or no Ray listens there.
    """
    wanted = os.environ.get("RAY_ADDRESS", "") or "auto" if address == "auto" else address
    if wanted not in ("auto", "local"):
        _check_somebody_listens(wanted)
    return wanted


@dataclass(frozen=True)
class Cluster:
    """What a cluster has."""

    address: str
    node_cores: tuple[int, ...]

    def workers(self, threads: int) -> int:
        """Return for how many processes of so many threads there are cores.

        Raises:
            EdgeSegError: none.
        """
        count = sum(cores // threads for cores in self.node_cores)
        if count == 0:
            raise EdgeSegError(
                f"--ray {self.address}: no machine of the cluster has {threads} cores for --threads {threads}; "
                "give --jobs for a cluster that grows on demand"
            )
        return count


@contextmanager
def joined(address: str, cpus: int) -> Generator[Cluster]:
    """Join a cluster, or start one of `cpus` cores (0: all of this machine).

    Args:
        address: as `wanted_address` returned it.
        cpus: of a cluster that is started here.

    Raises:
        EdgeSegError: it cannot be joined.
    """
    _set_environment(address)
    ray: Any = import_module("ray")
    try:
        with quiet_stderr(), _handlers_kept():
            _init(ray, address, cpus)
        nodes = [node for node in ray.nodes() if node["Alive"]]
        yield Cluster(address, tuple(int(node["Resources"].get("CPU", 0)) for node in nodes))
    finally:
        with _handlers_kept():
            for number in _ENDING:  # a second Ctrl-C would leave processes behind
                signal.signal(number, signal.SIG_IGN)
            ray.shutdown()


@contextmanager
def _handlers_kept() -> Generator[None]:
    """Undo what is done to the handlers of signals: Ray's own end the program at once, with a stack of C++."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _set_environment(address: str) -> None:
    """Set what Ray reads when it is imported, unless the user did."""
    wanted = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of a change to come
        "RAY_BACKEND_LOG_LEVEL": "fatal",  # its C++ side writes to the terminal
        "RAY_worker_niceness": "0",  # as the run without Ray; 15 otherwise
        "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # it prints on stdout how each worker died
    }
    if address not in ("auto", "local"):
        # Where something else than Ray listens the run ends after some 20 s, in place of ten minutes.
        wanted |= {"RAY_NUM_REDIS_GET_RETRIES": "1", "RAY_py_gcs_connect_timeout_s": "5"}
    if any(name in os.environ for name in _TOKEN_VARIABLES) or _TOKEN_FILE.expanduser().exists():
        wanted["RAY_AUTH_MODE"] = "token"
    for name, value in wanted.items():
        os.environ.setdefault(name, value)


def _init(ray: Any, address: str, cpus: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    try:
        if address == "local" or not _found(ray, address, quiet):
            ray.init(
                address="local",
                num_cpus=cpus or core_count(),
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                **quiet,
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise EdgeSegError(
            f"--ray {address}: this Ray cluster cannot be joined ({reason:.200}); check the address and, for a "
            "cluster with a token, RAY_AUTH_MODE and RAY_AUTH_TOKEN"
        ) from None
    except OSError as error:  # its sockets lie in the folder, and the path of one has 107 bytes at most
        raise EdgeSegError(
            f"--ray {address}: Ray cannot start here ({error}); name a folder with a short path that this user may "
            "write in RAY_TMPDIR"
        ) from None


def _found(ray: Any, address: str, quiet: dict[str, Any]) -> bool:
    """Join a cluster; False when `auto` finds none on this machine."""
    try:
        ray.init(address=address, **quiet)
    except ConnectionError:
        if address != "auto":
            raise
        return False
    return True


def _check_somebody_listens(address: str) -> None:
    if address.startswith("ray://"):
        raise EdgeSegError(
            f"--ray {address}: Ray Data does not run through Ray's client; run the command on a machine of the "
            "cluster, with --ray auto"
        )
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise EdgeSegError(f"--ray {address}: is no address; give auto, or the HOST:PORT of the cluster's head")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _ANSWER_TIMEOUT_S) as connection:
            greeted = "RAY_USE_TLS" in os.environ or _is_greeted(connection)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EdgeSegError(
            f"--ray {address}: nobody answers there ({reason}); start a cluster with  ray start --head  or check the "
            "address"
        ) from None
    if not greeted:
        raise EdgeSegError(
            f"--ray {address}: something else than Ray listens there; give the address that  ray start --head  printed"
        )


def _is_greeted(connection: socket.socket) -> bool:
    """Return whether the other side speaks HTTP/2, as gRPC does: its first frame has the type SETTINGS (RFC 9113, 3.4).

    Ray itself waits for minutes for the answer of a port that gives none.
    """
    connection.sendall(_HTTP2_PREFACE)
    return connection.recv(9)[3:4] == b"\x04"
