"""Events, a broker and a web server that the tests of alerts tell of them."""

import http.server
import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_seg.alerts import AlertEvent, Origin, parse_rule
from edge_seg.alerts.event import sample_event


def event(alert: str = "fire", **fields: Any) -> AlertEvent:
    values = sample_event(parse_rule(f'"{alert}": fire > 2%'), Origin("pi", "cam"), 1_700_000_000.0)
    return AlertEvent(**{**vars(values), "kind": "raised", **fields})


def wait_until(condition: Callable[[], bool], what: str = "it", timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about in {timeout_s} s"
        time.sleep(0.01)


class Web:
    """A web server that answers with what the test sets, and keeps what was posted."""

    def __init__(self, certificate: Path | None = None, port: int = 0) -> None:
        self.status, self.headers, self.hangs_s = 200, dict[str, str](), 0.0
        self.posted: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
                time.sleep(web.hangs_s)
                if web.status < 300:
                    web.posted.append(json.loads(body))
                self.send_response(web.status)
                for name, value in web.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def web(certificate: Path | None = None, port: int = 0) -> Iterator[Web]:
    server = Web(certificate, port)
    try:
        yield server
    finally:
        server.stop()


def self_signed(folder: Path) -> Path:
    """Make a key and a certificate for localhost and 127.0.0.1 in one PEM file, by OpenSSL's own program."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: apt-get install openssl")
    key, certificate, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text())
    return both


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Mosquitto:
    """A real broker in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, *more: str) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/sbin")
        if program is None:
            pytest.skip("mosquitto is not installed: apt-get install mosquitto")
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        # As root it would become the user "mosquitto", who may not read what a test has written.
        lines = [
            "user root",
            f"listener {self.port} 127.0.0.1",
            "persistence false",
            *(more or ("allow_anonymous true",)),
        ]
        self._config.write_text("\n".join(lines) + "\n")
        self._program, self._process = program, None

    @property
    def uri(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [self._program, "-c", str(self._config)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "the broker")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@contextmanager
def mosquitto(folder: Path, *more: str) -> Iterator[Mosquitto]:
    broker = Mosquitto(folder, *more)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


@contextmanager
def older_broker(port: int) -> Iterator[int]:
    """Stand before a broker, refuse MQTT 5 as one that does not know it must, and pass on the rest; yield the port."""

    class Door(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            hello = self.request.recv(4096)
            if hello[hello.index(b"MQTT") + 4] == 5:
                self.request.sendall(b"\x20\x02\x00\x01")
                return
            with socket.create_connection(("127.0.0.1", port)) as broker:
                broker.sendall(hello)
                back = threading.Thread(target=pass_on, args=(broker, self.request))
                back.start()
                pass_on(self.request, broker)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, and end the target's side, too."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has gone


class Subscriber:
    """What arrives on a broker, in order: (topic, message, retained)."""

    def __init__(
        self, port: int, topic: str = "#", *, user: str | None = None, password: str = "", ca_file: Path | None = None
    ) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.messages: list[tuple[str, str, bool]] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda _client, _data, message: self.messages.append(
            (message.topic, message.payload.decode(), bool(message.retain))
        )
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        if user is not None:
            self._client.username_pw_set(user, password)
        if ca_file is not None:
            self._client.tls_set(str(ca_file))
        self._client.connect("localhost" if ca_file else "127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe(topic, qos=1)
        assert subscribed.wait(10)

    def on(self, topic: str) -> list[str]:
        return [message for where, message, _ in self.messages if where == topic]

    def last(self, topic: str) -> str | None:
        return next(iter(self.on(topic)[::-1]), None)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def subscriber(port: int, topic: str = "#", **login: Any) -> Iterator[Subscriber]:
    opened = Subscriber(port, topic, **login)
    try:
        yield opened
    finally:
        opened.close()
