"""The fleet's broker: mosquitto with the settings that edge-seg ships: encrypted, every camera a user of its own."""

import shutil
import ssl
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.mosquitto import Mosquitto
from edge_seg_bench.ports import free_port

OPERATOR = "operator"
"""The user of mosquitto.acl who reads everything."""


@dataclass(frozen=True)
class Access:
    """How one gets to the broker."""

    port: int
    ca_file: Path

    def tls(self) -> ssl.SSLContext:
        """Return what checks the broker's certificate."""
        return ssl.create_default_context(cafile=str(self.ca_file))


def password_of(user: str) -> str:
    """Return a user's password; on loopback it need not be secret."""
    return f"password of {user}"


def open_broker(folder: Path, config: Path, cameras: Iterable[str]) -> tuple[Mosquitto, Access]:
    """Start mosquitto.

    Args:
        folder: for its settings, its certificate and its database.
        config: the folder with mosquitto.conf and mosquitto.acl.
        cameras: the users beside the operator.

    Raises:
        BenchmarkError: mosquitto or openssl is not installed, or does not do its part.
    """
    port, certificate, key = free_port(), folder / "broker.crt", folder / "broker.key"
    _make_certificate(certificate, key)
    passwords = folder / "edge-seg.passwords"
    _make_passwords(passwords, (OPERATOR, *cameras))
    settings = (config / "mosquitto.conf").read_text(encoding="utf-8")
    for shipped, here in (
        ("listener 8883", f"listener {port} 127.0.0.1"),
        ("/etc/mosquitto/certs/broker.crt", str(certificate)),
        ("/etc/mosquitto/certs/broker.key", str(key)),
        ("/etc/mosquitto/edge-seg.passwords", str(passwords)),
        ("/etc/mosquitto/edge-seg.acl", str(config.resolve() / "mosquitto.acl")),
    ):
        if shipped not in settings:
            raise BenchmarkError(f"{config / 'mosquitto.conf'}: does not say '{shipped}'; give the folder of edge-seg")
        settings = settings.replace(shipped, here)
    return Mosquitto(folder, port, settings.splitlines()), Access(port, certificate)


def _make_certificate(certificate: Path, key: Path) -> None:
    _run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
    )


def _make_passwords(path: Path, users: Iterable[str]) -> None:
    path.write_text("".join(f"{user}:{password_of(user)}\n" for user in users), encoding="utf-8")
    path.chmod(0o600)
    _run("mosquitto_passwd", "-U", str(path))


def _run(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise BenchmarkError(f"{program}: no such program; type  sudo apt-get install mosquitto openssl")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{program} failed: {done.stderr.strip()[-300:]}")
