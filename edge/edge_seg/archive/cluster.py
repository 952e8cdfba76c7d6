"""Joining a Ray cluster, or starting one on this machine.

auto      the cluster that RAY_ADDRESS names, else one that runs on this machine, else one that is started here
local     one that is started here, whatever else runs
HOST:PORT the cluster whose head listens there (`ray start --head` says where: 6379 unless told otherwise)
"""

import logging
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from edge_seg.errors import EdgeSegError
from edge_seg.parallel import core_count
from edge_seg.runtimes.quiet import quiet_stderr

_ANSWER_TIMEOUT_S = 5.0
_OBJECT_STORE_BYTES = 200 * 2**20
"""Names and rows go through it, no pictures."""


def wanted_address(address: str) -> str:
    """Return what `auto` means in this environment; anything else stands for itself.

    Raises:
        EdgeSegError: no address at all, or nobody listens there.
    """
    wanted = os.environ.get("RAY_ADDRESS", "") or "auto" if address == "auto" else address
    if wanted not in ("auto", "local"):
        _check_somebody_listens(wanted)
    return wanted


@contextmanager
def joined(address: str, cpus: int) -> Generator[int]:
    """Join a cluster, or start one of `cpus` cores (0: all of this machine); yield how many cores it has.

    Args:
        address: as `wanted_address` returned it.
        cpus: of a cluster that is started here.

    Raises:
        EdgeSegError: it cannot be joined, or has no cores.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # its C++ side writes to the terminal
    ray: Any = import_module("ray")
    try:
        with quiet_stderr():
            _init(ray, address, cpus)
        cores = int(ray.cluster_resources().get("CPU", 0))
        if cores == 0:
            raise EdgeSegError(f"the Ray cluster at {address} has no CPU; start workers with  ray start --address ...")
        yield cores
    finally:
        ray.shutdown()


def _init(ray: Any, address: str, cpus: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    here = {
        "num_cpus": cpus or core_count(),
        "include_dashboard": False,
        "object_store_memory": _OBJECT_STORE_BYTES,
    }
    try:
        if address != "local":
            try:
                ray.init(address=address, **quiet)
                return
            except ConnectionError:
                if address != "auto":
                    raise
        ray.init(address="local", **here, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise EdgeSegError(f"{address}: this Ray cluster cannot be joined ({reason:.200}); check the address") from None


def _check_somebody_listens(address: str) -> None:
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise EdgeSegError(f"--ray {address}: is no address; give auto, or the HOST:PORT of the cluster's head")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EdgeSegError(
            f"--ray {address}: nobody answers there ({reason}); start a cluster with  ray start --head  or check the "
            "address"
        ) from None
