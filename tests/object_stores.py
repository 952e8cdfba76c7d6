"""Servers on loopback that speak S3 and Cloud Storage, and what a client needs to find them."""

import json
import logging
import socket
import threading
import urllib.request
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import boto3
import pytest
from gcp_storage_emulator.server import create_server
from gcsfs.core import GCSFileSystem
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

REGION = "us-east-1"
BUCKET = "pictures"


@contextmanager
def s3_server() -> Generator[str]:
    """Yield the address of a server by moto that holds the empty bucket BUCKET."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        aws("s3", url).create_bucket(Bucket=BUCKET)
        yield url
    finally:
        server.stop()


def aws(service: str, url: str) -> Any:
    """Return boto3's client, which owns everything on a server by moto."""
    return boto3.client(service, REGION, endpoint_url=url, aws_access_key_id="owner", aws_secret_access_key="owner")


@contextmanager
def user_who_may(url: str, rights: Sequence[str]) -> Generator[tuple[str, str]]:
    """Yield key and secret of a new user with some of S3's rights, on a server by moto that looks at them now."""
    users, name = aws("iam", url), uuid4().hex
    users.create_user(UserName=name)
    key = users.create_access_key(UserName=name)["AccessKey"]
    if rights:
        allowed = {"Effect": "Allow", "Action": [f"s3:{right}" for right in rights], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        users.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=policy)
    _post(f"{url}/moto-api/reset-auth", b"0")
    try:
        yield key["AccessKeyId"], key["SecretAccessKey"]
    finally:
        _post(f"{url}/moto-api/reset-auth", b"inf")


def _post(url: str, body: bytes) -> None:
    request = urllib.request.Request(url, body, {"Content-Type": "text/plain"})
    urllib.request.urlopen(request).close()


@contextmanager
def gs_server() -> Generator[str]:
    """Yield the address of a server by gcp-storage-emulator that holds the empty bucket BUCKET."""
    logging.getLogger("gcp_storage_emulator").setLevel(logging.CRITICAL)
    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        yield f"http://127.0.0.1:{server._api._httpd.server_port}"
    finally:
        server.stop()


@contextmanager
def answering(answer: Callable[[str], tuple[int, bytes]]) -> Generator[str]:
    """Yield the address of a server that answers every request with the status and body of `answer(path)`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # a PUT waits for its 100 Continue

        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        do_HEAD = do_DELETE = do_GET  # noqa: N815 - the name of http.server

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use_s3(monkeypatch: pytest.MonkeyPatch, url: str, key: str = "key", secret: str = "secret") -> None:
    """Let s3:// lead to a server, with credentials."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    settings = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    forget_connections()


def use_gs(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let gs:// lead to a server, without credentials."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    forget_connections()


def forget_connections() -> None:
    """fsspec keeps one file system for equal options, with the credentials that it found first."""
    for kind in (S3FileSystem, GCSFileSystem):
        kind.clear_instance_cache()


@contextmanager
def silent() -> Generator[str]:
    """Yield an address where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
