"""The live page over HTTP: real sockets, a camera that runs."""

import gc
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alert_events import alert_event
from device_fixtures import frame, result
from edge_seg.telemetry import Telemetry
from edge_seg.web.address import Address, listen
from edge_seg.web.app import MOST_VIEWERS
from edge_seg.web.metrics import Metrics
from edge_seg.web.server import ServerThread
from live_camera import Answer, Camera, Viewer, camera, wait_until

TOKEN = "correct-horse"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def open_camera() -> Iterator[Camera]:
    with camera() as running:
        yield running


@pytest.fixture
def guarded() -> Iterator[Camera]:
    with camera(token=TOKEN) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/", 200, "text/html"),
        ("/assets/page.js", 200, "text/javascript"),
        ("/assets/style.css", 200, "text/css"),
        ("/assets/icon.svg", 200, "image/svg+xml"),
        ("/assets/login.html", 404, "text/plain"),
        ("/assets/../app.py", 404, "text/plain"),
        ("/assets/%2e%2e/app.py", 404, "text/plain"),
        ("/nothing", 404, "text/plain"),
        ("/state.json", 200, "application/json"),
        ("/snapshot.jpg", 200, "image/jpeg"),
        ("/snapshot.jpg?view=raw&width=64", 200, "image/jpeg"),
        ("/snapshot.jpg?width=99999", 400, "text/plain"),
        ("/stream.mjpeg?classes=7", 400, "text/plain"),
        ("/metrics", 200, "text/plain"),
        ("/healthz", 200, "text/plain"),
    ],
)
def test_routes(open_camera: Camera, path: str, status: int, kind: str) -> None:
    for method in ("GET", "HEAD"):
        answer = open_camera.get(path, method)
        assert answer.status == status
        assert answer.headers["content-type"].startswith(kind)
        assert_guarded_headers(answer)
    assert answer.body == b""


@pytest.mark.parametrize("path", ["/stream.mjpeg", "/events"])
def test_the_head_of_a_stream_ends(open_camera: Camera, path: str) -> None:
    assert open_camera.get(path, "HEAD").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_only_get_and_head_are_answered(open_camera: Camera, method: str) -> None:
    answer = open_camera.get("/state.json", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert_guarded_headers(answer)


def assert_guarded_headers(answer: Answer) -> None:
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "192.168.0.7:8080"}, 421),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
    ],
)
def test_other_hosts_and_sites_are_kept_out(open_camera: Camera, headers: dict[str, str], status: int) -> None:
    answer = open_camera.get("/state.json", **headers)
    assert answer.status == status
    assert_guarded_headers(answer)


def test_the_stream_is_motion_jpeg_that_moves(open_camera: Camera) -> None:
    with Viewer(open_camera.port, "/stream.mjpeg?view=raw") as viewer:
        seen = viewer.read_until(b"--edge-seg-frame", 5)
    assert b"multipart/x-mixed-replace; boundary=edge-seg-frame" in seen
    pictures = [decoded(jpeg) for jpeg in re.findall(rb"\r\n\r\n(\xff\xd8.*?)\r\n--edge-seg", seen, re.DOTALL)]
    assert len(pictures) == 4
    assert pictures[0].shape == (120, 160, 3)
    assert any(np.abs(pictures[0].astype(int) - other).max() > 100 for other in pictures[1:])


def test_views_differ(open_camera: Camera) -> None:
    open_camera.source.silent.set()
    wait_until(lambda: settled(open_camera))
    try:
        queries = (
            "view=raw",
            "view=mask",
            "view=mask&classes=0",
            "opacity=0.3",
            "opacity=0.7",
            "opacity=0.7&classes=1",
        )
        pictures = [decoded(open_camera.get(f"/snapshot.jpg?{query}").body) for query in queries]
        small = decoded(open_camera.get("/snapshot.jpg?width=80").body)
    finally:
        open_camera.source.silent.clear()
    for index, picture in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert np.abs(picture.astype(int) - other).max() > 40
    assert small.shape == (60, 80, 3)


def settled(running: Camera) -> bool:
    before = running.frames
    time.sleep(0.2)
    return running.frames == before


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def test_events_say_hello_and_then_the_state(open_camera: Camera) -> None:
    wait_until(lambda: len(open_camera.telemetry.history()) > 1)
    with Viewer(open_camera.port, "/events") as viewer:
        seen = viewer.read_until(b"event: state", 2)
    hello = json.loads(re.search(rb"event: hello\ndata: (.*)\n\n", seen).group(1))
    assert [item["name"] for item in hello["classes"]] == ["red", "blue"]
    assert hello["title"] == "gate"
    assert len(hello["history"][0]) == 3
    state = json.loads(re.search(rb"event: state\ndata: (.*)\n\n", seen).group(1))
    assert set(state["shares"]) == {"red", "blue"}
    assert state["board"] == {"temperature_c": 61.5, "throttling": ["under-voltage now"]}
    assert state["source"] == {"condition": "live", "sentence": ""}


def test_alerts_and_trouble_come_at_once(open_camera: Camera) -> None:
    """Ten in a row, each told before the next, take ten seconds when they wait for the state of every second."""
    with Viewer(open_camera.port, "/events") as viewer:
        viewer.read_until(b"event: state")
        started = time.monotonic()
        for number in range(10):
            open_camera.telemetry.alert(alert_event(f"rule {number}", "raised"))
            viewer.read_until(f'"rule {number}": 1'.encode())
        assert time.monotonic() - started < 7
        open_camera.source.silent.set()
        wait_until(lambda: settled(open_camera))
        open_camera.telemetry.trouble("the camera is unplugged")
        viewer.read_until(b"the camera is unplugged")
        open_camera.source.silent.clear()


def test_health_says_when_no_pictures_come(open_camera: Camera) -> None:
    open_camera.source.silent.set()
    wait_until(lambda: settled(open_camera))
    open_camera.telemetry.trouble("gone")
    answer = open_camera.get("/healthz")
    open_camera.source.silent.clear()
    assert (answer.status, answer.text) == (503, "trouble\n")
    wait_until(lambda: open_camera.get("/healthz").status == 200)


def test_metrics_are_prometheus_text() -> None:
    with camera() as running:
        rule = 'a "b" \\ c\nd > 2%'
        running.telemetry.watch_alerts(["quiet", rule], lambda: {"hook": 3})
        running.telemetry.alert(alert_event(rule, "raised"))
        running.telemetry.alert(alert_event("cleared", "raised"))
        running.telemetry.alert(alert_event("cleared", "cleared"))
        running.telemetry.sink_error("events.jsonl", "the disk is full")
        running.telemetry.trouble("gone")
        wait_until(lambda: running.telemetry.state().source.condition == "live")
        answer = running.get("/metrics")
        openmetrics = running.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        odd = running.get("/metrics", Accept="application/openmetrics-text; version=zz; escaping=zzz")
    assert openmetrics.text.endswith("# EOF\n")
    assert odd.status == 200
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["edge_seg_frames_total",] > 0
    assert samples["edge_seg_area_share", "red"] + samples["edge_seg_area_share", "blue"] == pytest.approx(1)
    assert samples["edge_seg_temperature_celsius",] == 61.5
    assert samples["edge_seg_throttled",] == 1
    assert samples["edge_seg_alert_active", rule] == 1
    assert samples["edge_seg_alert_active", "cleared"] == 0
    assert samples["edge_seg_alerts_raised_total", "cleared"] == 1
    assert samples["edge_seg_sink_errors_total", "events.jsonl"] == 1
    assert samples["edge_seg_alerts_raised_total", "quiet"] == 0
    assert samples["edge_seg_alerts_waiting", "hook"] == 3
    conditions = {key[1]: value for key, value in samples.items() if key[0] == "edge_seg_source_condition"}
    assert conditions == {"starting": 0, "live": 1, "stalled": 0, "trouble": 0, "ended": 0}
    assert samples["edge_seg_source_troubles_total",] == 1
    assert samples["edge_seg_source_up",] == 1
    assert samples["process_resident_memory_bytes",] > 1e6
    assert {"edge_seg_frames_per_second", "edge_seg_frame_age_seconds", "edge_seg_viewers"} <= {
        key[0] for key in samples
    }


def test_metrics_forget_what_a_source_that_is_lost_has_shown() -> None:
    telemetry = Telemetry(["red", "blue"])
    told = Metrics(telemetry, lambda: 0)
    assert b"edge_seg_area_share{" not in told.render("")[0]
    telemetry.observe(result(frame()))
    assert b'edge_seg_area_share{class="red"} 0.5' in told.render("")[0]
    telemetry.trouble("camera unplugged")
    assert b"edge_seg_area_share{" not in told.render("")[0]


# The token


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/healthz", {}, 200),
        ("/login", {}, 200),
        ("/assets/style.css", {}, 200),
        ("/", {}, 303),
        ("/state.json", {}, 401),
        ("/stream.mjpeg", {}, 401),
        ("/events", {}, 401),
        ("/metrics", {}, 401),
        ("/snapshot.jpg", {}, 401),
        ("/nothing", {}, 401),
        (f"/state.json?token={TOKEN}", {}, 401),
        ("/state.json", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("/state.json", {"Authorization": f"bearer {TOKEN}"}, 200),
        ("/state.json", {"Authorization": f"Bearer {TOKEN}x"}, 401),
        ("/state.json", {"Authorization": f"Basic {TOKEN}"}, 401),
        ("/state.json", {"Authorization": TOKEN}, 401),
        ("/state.json", {"Cookie": f"edge-seg={TOKEN}"}, 401),
        ("/nothing", {"Authorization": f"Bearer {TOKEN}"}, 404),
        ("/state.json", {"Authorization": f"Bearer {TOKEN}", "Host": "camera.local"}, 200),
    ],
)
def test_who_may_see_what(token_camera: Camera, path: str, headers: dict[str, str], status: int) -> None:
    answer = token_camera.get(path, **headers)
    assert answer.status == status
    assert_guarded_headers(answer)
    assert TOKEN not in answer.text


@pytest.fixture(scope="module")
def token_camera() -> Iterator[Camera]:
    with camera(token=TOKEN) as running:
        yield running


def log_in(running: Camera, token: str) -> Answer:
    return running.get("/login", "POST", urlencode({"token": token}).encode(), Content_Type=FORM)


def test_form_and_link_lead_to_a_cookie_that_opens_the_page(guarded: Camera) -> None:
    for answer in (log_in(guarded, TOKEN), guarded.get(f"/?token={TOKEN}")):
        assert (answer.status, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"edge-seg-{guarded.port}=")
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert TOKEN not in cookie
        assert guarded.get("/state.json", Cookie=cookie.partition(";")[0]).status == 200
        assert guarded.get("/", Cookie=cookie.partition(";")[0]).status == 200


def test_a_session_outlives_a_restart_but_not_its_token(guarded: Camera) -> None:
    session = log_in(guarded, TOKEN).headers["set-cookie"].partition(";")[0].partition("=")[2]
    for token, status in ((TOKEN, 200), ("another", 401)):
        with camera(token=token) as again:
            assert again.get("/state.json", Cookie=f"edge-seg-{again.port}={session}").status == status


def test_guessing_is_slowed_down(guarded: Camera, capfd: pytest.CaptureFixture[str]) -> None:
    session = log_in(guarded, TOKEN).headers["set-cookie"].partition(";")[0]
    assert guarded.get("/metrics", Authorization="Bearer wrong").status == 401
    for _ in range(2):
        assert log_in(guarded, "wrong").status == 401
        assert guarded.get("/?token=wrong").status == 401
    answer = log_in(guarded, TOKEN)
    assert answer.status == 429
    assert 0 < int(answer.headers["retry-after"]) <= 61
    assert guarded.get("/state.json", Authorization=f"Bearer {TOKEN}").status == 429
    assert guarded.get("/state.json", Cookie=session).status == 200
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("body", [b"token=" + b"x" * 3000, b"\xff\xfe", b"&".join([b"a=1"] * 50)])
def test_login_forms_are_small(guarded: Camera, body: bytes) -> None:
    assert guarded.get("/login", "POST", body, Content_Type=FORM).status == 400


def test_other_sites_cannot_log_in(guarded: Camera) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert guarded.get("/login", "POST", b"token=x", **headers).status == 403


def test_a_page_without_token_needs_no_login(open_camera: Camera) -> None:
    assert open_camera.get("/login").headers["location"] == "/"
    assert open_camera.get("/?token=x").status == 200


# Many viewers, bad viewers, and the end


def results_in(running: Camera, seconds: float) -> int:
    before = running.frames
    time.sleep(seconds)
    return running.frames - before


def test_twenty_viewers_and_one_that_never_reads_do_not_slow_the_camera() -> None:
    with camera(height=480, width=640) as running:
        alone = results_in(running, 2.0)
        path = "/stream.mjpeg?width=320&opacity="
        deaf = Viewer(running.port, "/stream.mjpeg?view=raw", receive_buffer=4096)
        viewers = [Viewer(running.port, f"{path}{number % 2}") for number in range(20)]
        try:
            for viewer in viewers:
                viewer.read_until(b"--edge-seg-frame", 3)
            assert running.get("/state.json").text.count('"viewers":21') == 1
            watched = results_in(running, 2.0)
            viewers[0].seen = b""
            viewers[0].read_until(b"--edge-seg-frame", 10)
        finally:
            for viewer in (deaf, *viewers):
                viewer.close()
        wait_until(lambda: '"viewers":0' in running.get("/state.json").text)
    assert watched > alone / 3


def test_more_viewers_than_places_are_told_so(open_camera: Camera) -> None:
    viewers = [Viewer(open_camera.port, "/events") for _ in range(MOST_VIEWERS)]
    try:
        for viewer in viewers:
            viewer.read_until(b"event: hello")
        with Viewer(open_camera.port, "/events") as late:
            refusal = late.read_until(b"\r\n\r\n")
            assert refusal.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 10" in refusal
            late.read_until(f"{MOST_VIEWERS} viewers".encode())
    finally:
        for viewer in viewers:
            viewer.close()
    wait_until(lambda: open_camera.get("/events", "HEAD").status == 200)


def test_the_end_comes_within_two_seconds_and_viewers_are_told() -> None:
    with camera(height=480, width=640) as running:
        deaf = Viewer(running.port, "/stream.mjpeg?view=raw", receive_buffer=4096)
        watching, listening = Viewer(running.port, "/stream.mjpeg?width=64"), Viewer(running.port, "/events")
        watching.read_until(b"--edge-seg-frame", 2)
        listening.read_until(b"event: state")
        idle = socket.create_connection(("127.0.0.1", running.port))
        time.sleep(0.5)  # the deaf one's buffers fill
        started = time.monotonic()
        running.page.close()
        took_s = time.monotonic() - started
        running.page.close()
    assert took_s < 2
    assert watching.read_to_end().endswith(b"0\r\n\r\n")
    assert b'"condition": "ended"' in listening.read_to_end().rpartition(b"event: state")[2]
    deaf.close()
    watching.close()
    listening.close()
    idle.close()
    gc.collect()  # a socket that nobody closed would warn here


def test_a_port_is_free_again_at_once() -> None:
    with camera() as first:
        with Viewer(first.port, "/stream.mjpeg") as viewer:
            viewer.read_until(b"--edge-seg-frame", 2)
        port = first.port
    with camera(port=port) as second:
        assert second.get("/healthz").status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000, b"431"),
        (b"GET /?" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost", b"431"),
        (b"GET /" + b"a" * 500_000, b"400"),
        (b"\x16\x03\x01 hello", b"400"),
    ],
)
def test_bad_and_long_heads_are_refused(open_camera: Camera, head: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", open_camera.port), timeout=10) as client, suppress(ConnectionError):
        client.sendall(head + b"\r\n\r\n")
        assert client.recv(4096).splitlines()[0].split()[1] == status


def test_a_client_that_dawdles_over_its_request_is_cut_off() -> None:
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    listener = listen(Address("127.0.0.1", 0))
    place = listener.getsockname()
    server = ServerThread(app, listener, lambda _: None, head_timeout_s=0.3)
    server.start()
    try:
        for asked, begun in ((b"", b""), (b"", b"GET / HT"), (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET /")):
            with socket.create_connection(place, timeout=10) as client:
                client.sendall(asked)
                assert client.recv(4096) if asked else True
                client.sendall(begun)
                with suppress(ConnectionResetError):
                    assert client.recv(4096) == b""
    finally:
        server.stop()


def test_ipv6_loopback() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with camera(host="::1") as running:
        assert running.page.url.startswith("http://[::1]:")
        with socket.create_connection(("::1", running.port), timeout=10) as client:
            client.sendall(f"GET /healthz HTTP/1.1\r\nHost: [::1]:{running.port}\r\nConnection: close\r\n\r\n".encode())
            assert b"200 OK" in client.recv(4096)
