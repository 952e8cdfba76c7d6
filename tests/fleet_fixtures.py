"""A real Prometheus and a real Mosquitto with the files of edge/fleet."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from alert_fixtures import Mosquitto, mosquitto, self_signed
from edge_seg_bench.fleet.prometheus import Prometheus, write_config

FLEET = Path(__file__).parents[1] / "edge/fleet"
METRIC = re.compile(r"\b(?:edge_seg|process)_\w+|\bup\b")


def program(name: str, package: str) -> str:
    found = shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin:/opt/homebrew/bin")
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def promtool(*arguments: object, folder: Path) -> None:
    command = [program("promtool", "prometheus"), *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def prometheus_folder(folder: Path, token: str, cameras: Mapping[str, int]) -> Path:
    """Lay out our files, the token, and the cameras by name and port; everything is done once a second."""
    folder.mkdir()
    pages = {name: f"http://127.0.0.1:{port}" for name, port in cameras.items()}
    config = write_config(folder, FLEET, pages, token)
    config.write_text(config.read_text().replace("_interval: 15s", "_interval: 1s"))
    return folder


@contextmanager
def prometheus(folder: Path) -> Iterator[Prometheus]:
    program("prometheus", "prometheus")
    server = Prometheus(folder, folder / "prometheus.yml")
    try:
        yield server
    finally:
        server.close()


@contextmanager
def fleet_broker(folder: Path, passwords: Mapping[str, str]) -> Iterator[tuple[Mosquitto, Path]]:
    """Start Mosquitto with our configuration, on another port and with files of the test; yield it and its CA."""
    make_password = program("mosquitto_passwd", "mosquitto")
    pem = self_signed(folder)
    (folder / "edge-seg.passwords").touch(mode=0o600)
    for user, password in passwords.items():
        subprocess.run([make_password, "-b", folder / "edge-seg.passwords", user, password], check=True)
    shutil.copy(FLEET / "mosquitto.acl", folder / "edge-seg.acl")
    ours = (FLEET / "mosquitto.conf").read_text().replace("listener 8883\n", "")
    for path in ("certs/broker.crt", "certs/broker.key"):
        ours = ours.replace(f"/etc/mosquitto/{path}", str(pem))
    with mosquitto(folder, *ours.replace("/etc/mosquitto", str(folder)).splitlines()) as broker:
        yield broker, folder / "cert.pem"


def dashboard() -> dict[str, Any]:
    return json.loads((FLEET / "grafana-dashboard.json").read_text(encoding="utf-8"))


def dashboard_expressions() -> list[str]:
    """Return the queries of every panel, with Grafana's variables filled in as it fills them."""
    return [
        target["expr"].replace("$camera", ".*").replace("$__rate_interval", "30s")
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def metrics_in(texts: Sequence[str]) -> set[str]:
    return {name for text in texts for name in METRIC.findall(text)}
