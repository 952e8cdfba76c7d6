"""A real Prometheus that watches the whole fleet."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_seg.errors import BenchmarkError
from edge_seg_bench.ports import free_port

LABEL = "instance"
"""The label that holds a camera's name."""

_PATIENCE_S = 30.0


class Prometheus:
    """prometheus on a port of its own, with what it stores in a folder; runs until `close`."""

    def __init__(self, folder: Path, config: Path) -> None:
        """Start it.

        Args:
            folder: for its database and its log.
            config: its prometheus.yml.

        Raises:
            BenchmarkError: it is not installed, or does not become ready.
        """
        self.url = f"http://127.0.0.1:{free_port()}"
        command = [
            find_prometheus(),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as said:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self._wait_until_ready()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def ask(self, what: str, **query: str) -> Any:
        """Return the data of an answer of its API, https://prometheus.io/docs/prometheus/latest/querying/api/."""
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=_PATIENCE_S) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression gives now: series, each with its `metric` and `value`."""
        return self.ask("query", query=expression)["result"]

    def values(self, expression: str) -> dict[str, float]:
        """Return what an expression gives now, by the cameras' names."""
        return {series["metric"][LABEL]: float(series["value"][1]) for series in self.query(expression)}

    def firing(self, rule: str) -> set[str]:
        """Return the cameras for which a rule fires."""
        return {
            alert["labels"][LABEL]
            for alert in self.ask("alerts")["alerts"]
            if alert["state"] == "firing" and alert["labels"]["alertname"] == rule
        }

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(_PATIENCE_S)

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        self._process.kill()
        self._process.wait()
        said = self.log.read_text(encoding="utf-8", errors="replace").strip()[-300:]
        raise BenchmarkError(f"prometheus does not become ready; it says: {said}")


def find_prometheus() -> str:
    """Return Prometheus' program.

    Raises:
        BenchmarkError: it is not installed.
    """
    program = shutil.which("prometheus")
    if program is None:
        raise BenchmarkError("prometheus: no such program; type  sudo apt-get install prometheus")
    return program


def write_config(folder: Path, shipped: Path, pages: Mapping[str, str], token: str) -> Path:
    """Complete the configuration that edge-seg ships by this fleet's cameras and token; return its path.

    Args:
        folder: where it is to be.
        shipped: the folder with prometheus.yml and rules.yml.
        pages: URL of each camera's live page by its name.
        token: of the pages.
    """
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copyfile(shipped / name, folder / name)
    targets = [
        {"targets": [urllib.parse.urlsplit(url).netloc], "labels": {LABEL: name, "fleet": "simulated"}}
        for name, url in pages.items()
    ]
    (folder / "cameras.yml").write_text(json.dumps(targets, indent=1) + "\n", encoding="utf-8")  # JSON is YAML, too
    (folder / "edge-seg.token").write_text(token, encoding="ascii")
    return folder / "prometheus.yml"
