"""A Ray cluster of two machines for tests: nodes on one host, each of which can be killed whole."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

import psutil

RAY = [sys.executable, "-m", "ray.scripts.scripts"]
PROGRAM = [sys.executable, "-c", "from edge_seg.cli import main; main()"]
_STORE = "--object-store-memory=80000000"


@dataclass
class RayCluster:
    """A head with one core, and as many other nodes of one core as were added."""

    folder: Path
    address: str
    head: subprocess.Popen[bytes]
    nodes: list[subprocess.Popen[bytes]]

    def add_node(self) -> subprocess.Popen[bytes]:
        """Start a node and wait until it has joined."""
        log = self.folder / f"node{len(list(self.folder.glob('*.log')))}.log"
        node = _start(log, "--address", self.address)
        self.nodes.append(node)
        _wait_until_started(log, node)
        return node

    def workers(self) -> list[psutil.Process]:
        """The processes that hold a model, on all nodes."""
        return [
            child
            for node in (self.head, *self.nodes)
            for child in _children(node.pid)
            if any(part.startswith("ray::MapWorker") for part in _command(child))
        ]


@contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    """Start a head; kill all nodes at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ray"))  # pytest's own folders make too long a path for a socket
    log = folder / "head.log"
    head = _start(log, "--head", "--port", "0", "--temp-dir", str(folder), "--include-dashboard", "false")
    cluster = RayCluster(folder, "", head, [])
    try:
        cluster.address = _wait_until_started(log, head).partition("--address='")[2].partition("'")[0]
        yield cluster
    finally:
        for node in (*cluster.nodes, head):
            kill_node(node)
        rmtree(folder, ignore_errors=True)


def kill_node(node: subprocess.Popen[bytes]) -> None:
    """Kill a node with all its processes, as when the machine loses power."""
    for process in _children(node.pid):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    node.kill()
    node.wait()


def environment() -> dict[str, str]:
    """What nodes and programs have in common: a token, and credentials of S3; no file of the user's is read."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "AWS_"))},
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "0123456789abcdef" * 4,
        "RAY_USAGE_STATS_ENABLED": "0",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "RAY_health_check_initial_delay_ms": "0",
        "RAY_health_check_period_ms": "500",
        "RAY_health_check_timeout_ms": "1000",
        "RAY_health_check_failure_threshold": "3",
    }


def _start(log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    options = ["--num-cpus", "1", "--disable-usage-stats", _STORE, "--block"]
    with log.open("wb") as file:
        return subprocess.Popen([*RAY, "start", *arguments, *options], env=environment(), stdout=file, stderr=file)


def _wait_until_started(log: Path, node: subprocess.Popen[bytes]) -> str:
    """Return what `ray start` says, the address that others join with it."""
    deadline = time.monotonic() + 60
    while "Ray runtime started" not in log.read_text() or "This command will now block" not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        assert node.poll() is None, log.read_text()
        time.sleep(0.1)
    return log.read_text()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
