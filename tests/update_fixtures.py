"""Signed models, and a web server that serves them well, badly or with malice."""

import base64
import datetime
import hashlib
import http.server
import io
import ipaddress
import itertools
import os
import re
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from PIL import Image

from edge_seg.updates.manifest import MANIFEST_SUFFIX, Golden, Manifest
from edge_seg.updates.signing import sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
CLASSES = ("background", "fire")


def png(pixels: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


GOLDEN = Golden(picture_png=png(np.zeros((2, 3, 3), np.uint8)), class_map_png=png(np.zeros((2, 3), np.uint8)))


def model_bytes(version: int, size_bytes: int = 50_000) -> bytes:
    """Bytes that are no model; whoever fetches does not look into them."""
    return np.random.default_rng(version).bytes(size_bytes)


def manifest(model: bytes, version: int = 1, **fields: Any) -> Manifest:
    values: dict[str, Any] = {
        "name": "fire",
        "version": version,
        "sha256": hashlib.sha256(model).hexdigest(),
        "size_bytes": len(model),
        "classes": CLASSES,
        "golden": GOLDEN,
        "created": "2026-01-01T00:00:00+00:00",
    }
    return Manifest(**{**values, **fields})


Respond = Callable[["Request"], None]


class Request(http.server.BaseHTTPRequestHandler):
    """One request; a test's own answer may write whatever it likes to `wfile`."""

    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        self.close_connection = True
        web = self.server.web
        web.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
        queue = web.answers.get(self.path, [])
        respond = queue.pop(0) if len(queue) > 1 else queue[0] if queue else serve_file
        with suppress(OSError):  # the client has hung up
            respond(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.send(body)

    def send(self, body: bytes) -> None:
        # Counted first: a client that has it all may look at once.
        self.server.web.sent_bytes[self.path] = self.server.web.sent_bytes.get(self.path, 0) + len(body)
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve_file(request: Request) -> None:
    """Answer as nginx does: ETag, 304, and ranges under If-Range."""
    body = request.server.web.files.get(request.path)
    if body is None:
        request.answer(404, b"<html>not here</html>")
        return
    etag = etag_of(body)
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
    if request.headers.get("If-None-Match") == etag:
        request.answer(304, ETag=etag)
    elif asked and request.headers.get("If-Range", etag) == etag:
        start = int(asked[1])
        if start >= len(body):
            request.answer(416, Content_Range=f"bytes */{len(body)}")
        else:
            request.answer(206, body[start:], ETag=etag, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
    else:
        request.answer(200, body, ETag=etag)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def breaking_off(after_bytes: int) -> Respond:
    """Return an answer that hangs up in the middle of the body that it promised."""

    def respond(request: Request) -> None:
        body = request.server.web.files[request.path]
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        request.send_response(206 if asked else 200)
        request.send_header("Content-Length", str(len(body) - start))
        request.send_header("ETag", etag_of(body))
        if asked:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        request.end_headers()
        request.send(body[start : start + after_bytes])

    return respond


def trickling(head: bytes, rest: bytes = b"") -> Respond:
    """Return an answer that gives `head` at once and then a byte every 20 ms: of `rest`, and then without end."""

    def respond(request: Request) -> None:
        request.wfile.write(head)
        for byte in itertools.chain(rest, itertools.repeat(ord("x"))):
            if request.server.web.closing.is_set():
                return
            request.wfile.write(bytes([byte]))
            time.sleep(0.02)

    return respond


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    web: "ModelWeb"

    def handle_error(self, *_: object) -> None:
        pass


class ModelWeb:
    """A web server on loopback. `files` are served well; `answers` are what a path answers instead, in turn."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, list[Respond]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent_bytes: dict[str, int] = {}
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), Request)
        self._server.web = self
        self._scheme = "https" if certificate else "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def origin(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"{self.origin}/fire.tflite"

    def publish(self, model: bytes, version: int = 1, key: Ed25519PrivateKey = KEY, **fields: Any) -> Manifest:
        """Put a model and its signed manifest where `url` looks for them."""
        described = manifest(model, version, **fields)
        self.files["/fire.tflite"] = model
        self.files["/fire.tflite" + MANIFEST_SUFFIX] = sign(described, key).encode()
        return described

    def asked_for(self, path: str) -> list[dict[str, str]]:
        """Return the headers of the requests for a path."""
        return [headers for asked, headers in self.requests if asked == path]

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def model_web(certificate: Path | None = None) -> Iterator[ModelWeb]:
    server = ModelWeb(certificate)
    try:
        yield server
    finally:
        server.close()


def certificates(folder: Path) -> tuple[Path, Path]:
    """Make an authority's certificate, and with it one for 127.0.0.1 with its key; return their PEM files."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of a test")])
    authority = _certificate(issuer, issuer, authority_key, authority_key, x509.BasicConstraints(True, 0))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    server = _certificate(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]), issuer, key, authority_key, names
    )
    authority_file, server_file = folder / "authority.pem", folder / "server.pem"
    pem, pkcs8, open_ = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    authority_file.write_bytes(authority.public_bytes(pem))
    server_file.write_bytes(key.private_bytes(pem, pkcs8, open_) + server.public_bytes(pem))
    return authority_file, server_file


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def fill_disk(folder: Path, but_pages: int = 0) -> None:
    """Leave nothing free on a disk in memory, or so many pages of 4 KiB."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    os.truncate(filler, filler.stat().st_size - but_pages * 4096)
