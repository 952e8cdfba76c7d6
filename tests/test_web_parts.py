"""The live page's parts without a server: addresses, views, tokens, pictures."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from device_fixtures import frame, half_red_half_blue, red_or_blue_segmenter, result
from edge_seg.errors import SinkError
from edge_seg.web.access import Access, Attempts
from edge_seg.web.address import Address, listen, parse_address
from edge_seg.web.guard import is_loopback_host
from edge_seg.web.pictures import Pictures
from edge_seg.web.token import check_token
from edge_seg.web.view import View, draw_view, parse_view

CLASSES = red_or_blue_segmenter().classes
RED, BLUE = CLASSES[0].rgb, CLASSES[1].rgb


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080, True),
        ("http://127.0.0.1:8080/", "127.0.0.1", 8080, True),
        ("9000", "127.0.0.1", 9000, True),
        ("localhost", "localhost", 8080, True),
        ("localhost:0", "localhost", 0, True),
        ("[::1]:8080", "::1", 8080, True),
        ("0.0.0.0:80", "0.0.0.0", 80, False),
        ("[::]:8080", "::", 8080, False),
        ("camera.local:8080", "camera.local", 8080, False),
        ("127.0.0.1.example.com:1", "127.0.0.1.example.com", 1, False),
    ],
)
def test_addresses(text: str, host: str, port: int, loopback: bool) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.is_loopback) == (host, port, loopback)


@pytest.mark.parametrize("text", ["", ":8080", "127.0.0.1:99999", "99999", "h:port", "a@b:1", "https://h:1", "h:1/p"])
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(SinkError, match=r"127\.0\.0\.1:8080"):
        parse_address(text)


def test_a_port_in_use_is_said() -> None:
    with listen(Address("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SinkError, match=f"127.0.0.1:{port}: the port is in use"):
            listen(Address("127.0.0.1", port))


@pytest.mark.parametrize("host", ["192.0.2.7", "no-such-host.invalid"])
def test_a_foreign_address_is_said(host: str) -> None:
    with pytest.raises(SinkError, match="no address of this machine"):
        listen(Address(host, 0))


@pytest.mark.parametrize(
    ("host", "token", "allowed"),
    [("127.0.0.1", None, True), ("::1", None, True), ("0.0.0.0", None, False), ("0.0.0.0", "secret", True)],
)
def test_what_others_can_reach_needs_a_token(host: str, token: str | None, allowed: bool) -> None:
    if allowed:
        check_token(Address(host, 1), token)
        return
    with pytest.raises(SinkError, match="--token-file"):
        check_token(Address(host, 1), token)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("localhost", True), ("localhost:8080", True), ("127.0.0.1:1", True), ("[::1]:8080", True),
        ("evil.example", False), ("127.0.0.1.nip.io", False), ("192.168.0.2:8080", False), ("", False), ("[", False),
    ],
)  # fmt: skip
def test_only_names_of_this_machine_are_hosts_of_a_page_without_token(host: str, allowed: bool) -> None:
    assert is_loopback_host(host) == allowed


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ({}, View()),
        ({"view": "raw", "opacity": "0.1", "classes": "1"}, View("raw")),
        ({"view": "mask", "classes": "1,0,1", "width": "320"}, View("mask", class_ids=(0, 1), width=320)),
        ({"opacity": "0.30000001", "classes": ""}, View(opacity=0.3, class_ids=())),
    ],
)
def test_queries_are_views(query: dict[str, str], view: View) -> None:
    assert parse_view(query, CLASSES) == view


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"view": "x" * 500}, "view="), ({"opacity": "1.1"}, "opacity="), ({"opacity": "nan"}, "opacity="),
        ({"opacity": "-0.1"}, "opacity="), ({"classes": "2"}, "classes=2"), ({"classes": "red"}, "classes=red"),
        ({"width": "63"}, "width="), ({"width": "4097"}, "width="), ({"width": "1e9"}, "width="),
        ({"width": "²"}, "width="),
    ],
)  # fmt: skip
def test_queries_out_of_range_are_said_shortly(query: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_view(query, CLASSES)
    assert len(str(caught.value)) < 120


def test_views_are_drawn() -> None:
    item = result(frame(image=half_red_half_blue(32, 48)))
    raw = draw_view(item, View("raw"))
    mask = draw_view(item, View("mask", class_ids=(1,)))
    assert np.array_equal(raw, item.frame.image)
    assert tuple(mask[5, 40]) == BLUE
    assert tuple(mask[5, 5]) == (0, 0, 0)
    assert tuple(draw_view(item, View(opacity=1.0))[5, 5]) == RED
    assert tuple(draw_view(item, View(opacity=1.0, class_ids=(1,)))[5, 5]) == (255, 0, 0)
    assert draw_view(item, View(width=24)).shape == (16, 24, 3)
    assert draw_view(item, View(width=4000)).shape == (32, 48, 3)


def test_tokens_and_sessions() -> None:
    access, other = Access("secret"), Access("other")
    assert access.is_token("secret")
    assert access.is_session(access.session)
    assert access.session == Access("secret").session
    for wrong in ("", "secre", "secret ", "Secret", "\udcff", other.session, access.session):
        assert not access.is_token(wrong)
    for wrong in ("", "secret", other.session):
        assert not access.is_session(wrong)
    open_to_all = Access(None)
    assert not open_to_all.is_token("")
    assert not open_to_all.is_session(open_to_all.session)


def test_five_failures_a_minute_and_bounded_memory() -> None:
    now = [0.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(5):
        assert attempts.wait_s("guesser") == 0.0
        attempts.fail("guesser")
    assert attempts.wait_s("guesser") == 60.0
    assert attempts.wait_s("somebody else") == 0.0
    now[0] = 61.0
    assert attempts.wait_s("guesser") == 0.0
    for number in range(3000):
        attempts.fail(f"client {number}")
    assert len(attempts._failures) == 1024


class CountingWorker(ThreadPoolExecutor):
    def __init__(self) -> None:
        super().__init__(1)
        self.jobs = 0

    def submit(self, fn, /, *args, **kwargs):
        self.jobs += 1
        return super().submit(fn, *args, **kwargs)


def test_a_picture_is_made_once_for_all_viewers_and_never_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_seg.web.pictures._LOOK_AGAIN_S", 3600.0)  # only a new result wakes a viewer

    async def twenty_viewers(pictures: Pictures, worker: CountingWorker) -> None:
        pictures.attach(asyncio.get_running_loop())
        for index in range(5):
            pictures.publish(result(frame(index)))
        assert worker.jobs == 0
        watchers = [pictures.watch(View()) for _ in range(20)]
        first = await asyncio.gather(*(anext(watcher) for watcher in watchers))
        assert {picture.number for picture in first} == {5}
        assert worker.jobs == 1
        coming = [asyncio.ensure_future(anext(watcher)) for watcher in watchers]
        threading.Timer(0.1, pictures.publish, [result(frame(6))]).start()
        second = await asyncio.wait_for(asyncio.gather(*coming), timeout=20)
        assert {picture.number for picture in second} == {6}
        assert worker.jobs == 2
        raw = await pictures.newest(View("raw"))
        assert raw is not None
        assert worker.jobs == 3
        pictures.close()
        assert [picture async for picture in watchers[0]] == []
        for watcher in watchers:
            await watcher.aclose()

    with CountingWorker() as worker:
        asyncio.run(twenty_viewers(Pictures(worker), worker))


def test_pictures_are_jpegs_of_the_view() -> None:
    async def one(pictures: Pictures) -> bytes:
        assert await pictures.newest(View("raw")) is None
        pictures.publish(result(frame(image=half_red_half_blue(60, 80))))
        picture = await pictures.newest(View("raw"))
        assert picture is not None
        return picture.jpeg

    with ThreadPoolExecutor(1) as worker:
        jpeg = asyncio.run(one(Pictures(worker)))
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape == (60, 80, 3)
    assert decoded[30, 10, 2] > 200  # red, at the left


def test_publishing_after_the_loop_has_ended_is_harmless() -> None:
    with ThreadPoolExecutor(1) as worker:
        pictures = Pictures(worker)

        async def attach() -> None:
            pictures.attach(asyncio.get_running_loop())

        asyncio.run(attach())
        pictures.publish(result(frame()))
        pictures.close()


def test_connections_have_small_buffers_and_are_given_up() -> None:
    with listen(Address("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 256 * 1024
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
