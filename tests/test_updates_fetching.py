"""New models over the air, from web servers that are slow, broken, mistaken or hostile."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge_seg.errors import UpdateError
from edge_seg.model_identity import file_sha256
from edge_seg.updates.address import parse_model_address
from edge_seg.updates.fetching import fetch
from edge_seg.updates.limits import Limits
from edge_seg.updates.manifest import LARGEST_MANIFEST_BYTES
from edge_seg.updates.signing import PAYLOAD_TYPE, sign
from edge_seg.updates.state import State, write_state
from edge_seg.updates.store import Candidate, ModelStore
from update_fixtures import (
    CLASSES,
    KEY,
    OTHER_KEY,
    ModelWeb,
    Request,
    breaking_off,
    certificates,
    etag_of,
    fill_disk,
    manifest,
    model_bytes,
    model_web,
    serve_file,
    trickling,
)

MODEL, MANIFEST = "/fire.tflite", "/fire.tflite.manifest.json"
NEW = model_bytes(7)
LIMITS = Limits(silence_s=5.0, keep_free_bytes=0)


@pytest.fixture
def web() -> Iterator[ModelWeb]:
    with model_web() as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ModelStore]:
    opened = ModelStore(tmp_path / "models", pytest.fail)
    yield opened
    opened.close()


def ask(web: ModelWeb, store: ModelStore, **changes: Any) -> Candidate | None:
    arguments: dict[str, Any] = {
        "url": web.url,
        "device": "raspberry-pi-5-model-b",
        "classes": CLASSES,
        "limits": LIMITS,
    }
    return fetch(public_key=KEY.public_key(), store=store, **{**arguments, **changes})


def arrives(web: ModelWeb, store: ModelStore, **changes: Any) -> Candidate:
    """Check that the new model is fetched."""
    candidate = ask(web, store, **changes)
    assert candidate is not None
    assert candidate.path.read_bytes() == NEW
    return candidate


def run_version(web: ModelWeb, store: ModelStore, version: int) -> None:
    """Put a version on the device as an update does."""
    web.publish(model_bytes(version), version)
    candidate = ask(web, store)
    assert candidate is not None
    store.accept(candidate)
    store.confirm()
    web.requests.clear()
    web.sent_bytes.clear()


def refused(web: ModelWeb, store: ModelStore, pattern: str, **changes: Any) -> str:
    """Check that an update is refused in one sentence, twice the same, and that the device is as it was."""
    before = snapshot(store)
    sentences = set()
    for _ in range(2):
        with pytest.raises(UpdateError, match=pattern) as caught:
            ask(web, store, **changes)
        sentences.add(str(caught.value))
    assert snapshot(store) == before
    (sentence,) = sentences
    assert sentence.isprintable()
    assert len(sentence) < 400
    return sentence


def snapshot(store: ModelStore) -> dict[Path, bytes]:
    paths = [path for path in store.folder.rglob("*") if store.download_folder not in path.parents]
    return {path: path.read_bytes() for path in paths if path.is_file()}


# What goes well ------------------------------------------------------------------------------------------------


def test_a_new_model_is_fetched_verified_and_then_not_asked_for_again(web: ModelWeb, store: ModelStore) -> None:
    described = web.publish(NEW, 7, device_class="raspberry-pi-5")
    candidate = arrives(web, store)
    assert candidate.manifest == described
    assert candidate.path.name == "fire.tflite"
    stored = store.accept(candidate)
    assert stored.path.read_bytes() == NEW
    assert list(store.download_folder.iterdir()) == []
    assert ask(web, store) is None
    assert web.asked_for(MANIFEST)[-1]["if-none-match"].startswith('"')
    assert web.sent_bytes == {MODEL: len(NEW), MANIFEST: len(web.files[MANIFEST])}  # the second answer was 304, empty


def test_a_server_without_etags_sends_the_manifest_again_and_no_model(web: ModelWeb, store: ModelStore) -> None:
    run_version(web, store, 3)
    web.answers[MANIFEST] = [lambda request: request.answer(200, web.files[MANIFEST])]
    assert ask(web, store) is None
    assert ask(web, store) is None
    assert [path for path, _ in web.requests] == [MANIFEST, MANIFEST]


def test_a_candidate_that_was_not_accepted_yet_is_not_fetched_twice(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    assert ask(web, store) == ask(web, store)
    assert web.sent_bytes[MODEL] == len(NEW)


def test_another_address_asks_for_the_manifest_anew(web: ModelWeb, store: ModelStore) -> None:
    run_version(web, store, 3)
    web.files[f"{MANIFEST}?key=1"] = web.files[MANIFEST]
    assert ask(web, store, url=f"{web.url}?key=1") is None
    assert "if-none-match" not in web.requests[-1][1]
    assert ask(web, store, url=f"{web.url}?key=1") is None
    assert "if-none-match" in web.requests[-1][1]  # which is the known one by now


def test_encrypted_with_an_authority_of_ones_own(tmp_path: Path, store: ModelStore) -> None:
    authority, certificate = certificates(tmp_path)
    with model_web(certificate) as web:
        web.publish(NEW, 7)
        sentence = refused(web, store, "certificate is not trusted")
        assert "--ca-file" in sentence
        arrives(web, store, ca_file=authority)


def test_user_and_password_of_the_address_go_to_its_own_server_only(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    with model_web() as elsewhere:
        with_secret = web.url.replace("://", "://me:se%40cret@")
        web.answers[MODEL] = [lambda request: request.answer(302, Location="/there.tflite?x")]
        web.answers["/there.tflite?x"] = [lambda request: request.answer(200, NEW)]
        assert ask(web, store, url=with_secret) is not None
        sent = base64.b64encode(b"me:se@cret").decode()
        assert [headers["authorization"] for _, headers in web.requests] == [f"Basic {sent}"] * 3
        web.answers[MODEL] = [lambda request: request.answer(302, Location=elsewhere.url)]
        web.publish(model_bytes(8), 8)
        elsewhere.files = web.files
        assert ask(web, store, url=with_secret) is not None
        assert [headers.get("authorization") for _, headers in elsewhere.requests] == [None]  # another port


def test_proxies_of_the_environment(web: ModelWeb, store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    web.publish(NEW, 7)
    with model_web() as proxy:
        for path in (MODEL, MANIFEST):
            proxy.answers[f"http://models.local{path}"] = [lambda request, at=path: request.answer(200, web.files[at])]
        monkeypatch.setenv("http_proxy", proxy.origin.replace("://", "://user:word@"))
        assert ask(web, store, url="http://models.local/fire.tflite") is not None
        assert all(headers["proxy-authorization"].startswith("Basic ") for _, headers in proxy.requests)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert ask(web, store) is not None
        assert len(proxy.requests) == 2


@pytest.mark.parametrize(
    ("proxy", "pattern"),
    [
        ("http://u:secret@[::", "proxy for http is no address by http or https"),
        ("socks5://u:secret@127.0.0.1:9", "proxy for http is no address by http or https"),
        ("localhost:3128", "proxy for http is no address by http or https"),
        ("http://u:secret@127.0.0.1:9", "^http://models.local: over the environment's proxy: refuses the connection$"),
    ],
)
def test_a_proxy_that_is_none(
    proxy: str, pattern: str, web: ModelWeb, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    assert "secret" not in refused(web, store, pattern, url="http://models.local/fire.tflite")


# What is refused before a byte of the model is fetched -----------------------------------------------------------


def envelope(change: Callable[[dict[str, Any]], None]) -> bytes:
    content = json.loads(sign(manifest(NEW, 7), KEY))
    change(content)
    return json.dumps(content).encode()


def raised_version(content: dict[str, Any]) -> None:
    payload = json.loads(base64.b64decode(content["payload"])) | {"version": 99}
    content["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()


MANIFESTS = {
    "another key": (sign(manifest(NEW, 7), OTHER_KEY).encode(), "not signed by the key"),
    "changed afterwards": (envelope(raised_version), "not signed by the key"),
    "signature of nothing": (envelope(lambda it: it.update(signatures=[])), "no signed manifest"),
    "an empty signature": (envelope(lambda it: it.update(signatures=[{"sig": ""}])), "not signed by the key"),
    "signed for another purpose": (envelope(lambda it: it.update(payloadType="text/plain")), "no signed manifest"),
    "no base64": (envelope(lambda it: it.update(payload="\n" + it["payload"])), "no signed manifest"),
    "more than belongs there": (envelope(lambda it: it.update({"\x1b[31m": 1})), "no signed manifest"),
    "a page": (
        b"<!doctype html><title>Log in to the hotel's WLAN</title>",
        "web page instead of the manifest; does the",
    ),
    "nothing": (b"", "no signed manifest"),
    "no text": (bytes(range(256)), "no signed manifest"),
    "deep": (b"[" * 100_000, "no signed manifest"),
    "an older version": (sign(manifest(NEW, 2), KEY).encode(), "version 2, but version 3 was here"),
    "other bytes as this version": (sign(manifest(NEW, 3), KEY).encode(), "another model as version 3"),
    "another device": (sign(manifest(NEW, 7, device_class="raspberry-pi-4"), KEY).encode(), "raspberry-pi-4, and this"),
    "another board like it": (sign(manifest(NEW, 7, device_class="raspberry-pi-50"), KEY).encode(), "raspberry-pi-50"),
    "other classes": (sign(manifest(NEW, 7, classes=("background", "cat")), KEY).encode(), "classes background, cat"),
    "classes in another order": (sign(manifest(NEW, 7, classes=CLASSES[::-1]), KEY).encode(), "classes fire, backgr"),
    "huge": (b" " * (LARGEST_MANIFEST_BYTES + 1), "more than 8 MB"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_refused_and_no_byte_of_the_model_asked_for(name: str, web: ModelWeb, store: ModelStore) -> None:
    run_version(web, store, 3)
    web.files[MANIFEST], pattern = MANIFESTS[name]
    assert refused(web, store, pattern).startswith(f"{web.origin}: ")
    assert web.asked_for(MODEL) == []


def test_a_manifest_of_a_later_format_says_so(web: ModelWeb, store: ModelStore) -> None:
    payload = manifest(NEW, 7).model_dump_json().replace('"format":1', '"format":2').encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    web.files[MANIFEST] = json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(KEY.sign(signed)).decode()}],
        }
    ).encode()
    refused(web, store, r"cannot be understood \(format: .*update edge-seg on the device")


def test_a_version_that_was_refused_is_not_fetched_again(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    candidate = arrives(web, store)
    store.refuse(candidate, "it sees fire everywhere")
    assert ask(web, store) is None  # 304: this manifest is known
    web.answers[MANIFEST] = [lambda request: request.answer(200, web.files[MANIFEST])]
    refused(web, store, r"version 7, which was refused here \(it sees fire everywhere\)")
    assert web.sent_bytes[MODEL] == len(NEW)


def test_a_state_that_knows_a_manifest_and_no_model(web: ModelWeb, tmp_path: Path) -> None:
    web.publish(NEW, 7)
    (tmp_path / "edited").mkdir()
    write_state(tmp_path / "edited/state.json", State().knowing(web.url, etag_of(web.files[MANIFEST])))
    edited = ModelStore(tmp_path / "edited", pytest.fail)
    arrives(web, edited)
    edited.close()


def test_a_version_that_was_rolled_back_is_not_taken_again(web: ModelWeb, store: ModelStore) -> None:
    run_version(web, store, 3)
    web.publish(NEW, 7)
    candidate = arrives(web, store)
    store.accept(candidate)
    restored = store.roll_back("too slow")
    assert restored is not None
    assert restored.manifest.version == 3
    assert ask(web, store) is None
    web.publish(model_bytes(6), 6)
    refused(web, store, "version 6, but version 7 was here")


# Servers that answer something else ------------------------------------------------------------------------------


def redirect(where: str) -> Callable[[Request], None]:
    return lambda request: request.answer(302, Location=where)


ANSWERS: dict[str, tuple[str, Callable[[Request], None], str]] = {
    "not there": (MANIFEST, lambda it: it.answer(404, b"<html>"), "answers 404 Not Found for the manifest: model and"),
    "model not there": (MODEL, lambda it: it.answer(404), "answers 404 Not Found for the model"),
    "locked": (MANIFEST, lambda it: it.answer(401), "answers 401 Unauthorized for the manifest: put user and password"),
    "broken": (MANIFEST, lambda it: it.answer(500), "answers 500 Internal Server Error for the manifest"),
    "made up": (MANIFEST, lambda it: it.answer(799), "answers 799 for the manifest"),
    "not modified, unasked": (MANIFEST, lambda it: it.answer(304), "answers 304"),
    "a part, unasked": (MODEL, lambda it: it.answer(206, NEW, Content_Range="bytes 0-9/10"), "answers 206"),
    "a page for a model": (MODEL, lambda it: it.answer(200, b"<html>"), "not the 50000 bytes that were signed"),
    "longer": (MODEL, lambda it: it.answer(200, NEW + b"!"), "not the 50000 bytes that were signed"),
    "endless": (MODEL, trickling(b"HTTP/1.1 200 OK\r\n\r\n" + NEW), "not the 50000 bytes that were signed"),
    "other bytes": (MODEL, lambda it: it.answer(200, bytes(len(NEW))), "SHA-256"),
    "compressed": (MODEL, lambda it: it.answer(200, NEW, Content_Encoding="gzip"), "compresses the model"),
    "in circles": (MANIFEST, redirect(MANIFEST), "redirects more than 5 times"),
    "to a file": (MANIFEST, redirect("file:///etc/passwd"), r"^http://127\S+: redirects to what is no address"),
    "to nowhere": (MANIFEST, redirect("https://[::1"), "is no address"),
    "to a stranger in the clear": (MANIFEST, redirect("http://example.org/x"), "redirects to http://example.org, un"),
    "no HTTP": (MANIFEST, lambda it: it.wfile.write(b"220 mail.example ESMTP\r\n"), "does not speak HTTP"),
    "hangs up": (MANIFEST, lambda it: None, "hangs up"),
    "half a header": (MANIFEST, lambda it: it.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le"), "in the middle|no signed"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_no_model_leaves_the_device_as_it_was(name: str, web: ModelWeb, store: ModelStore) -> None:
    path, answer, pattern = ANSWERS[name]
    web.publish(NEW, 7)
    web.answers[path] = [answer]
    refused(web, store, pattern)
    del web.answers[path]
    arrives(web, store)


def test_nobody_answers(web: ModelWeb, store: ModelStore) -> None:
    web.close()
    refused(web, store, "refuses the connection")
    refused(web, store, "cannot be resolved", url="https://nowhere.invalid/fire.tflite")


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("http://models.example.org/x.tflite", "would fetch models unencrypted over a public network; give https://"),
        ("ftp://models.example.org/x.tflite", "no address by http or https"),
        ("https://user:pa/ss@host/x", "no address|cannot be told"),
    ],
)
def test_an_address_that_cannot_be_used(url: str, pattern: str, web: ModelWeb, store: ModelStore) -> None:
    assert "ss@" not in refused(web, store, pattern, url=url)


def test_an_address_keeps_its_secrets() -> None:
    address = parse_model_address("https://me:se%40cret@models.example.org:8443/a.tflite?key=s3#x", plaintext=False)
    assert address.url == "https://models.example.org:8443/a.tflite?key=s3"
    assert address.manifest.url == "https://models.example.org:8443/a.tflite.manifest.json?key=s3"
    assert (address.shown, repr(address)) == ("https://models.example.org:8443", "Address()")


def test_a_certificate_file_without_certificates(tmp_path: Path, web: ModelWeb, store: ModelStore) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    refused(web, store, "cannot be read as certificates", ca_file=tmp_path / "ca.pem")


def test_encryption_with_a_server_that_has_none(web: ModelWeb, store: ModelStore) -> None:
    refused(web, store, "the encrypted connection fails", url=web.url.replace("http:", "https:"))


def test_the_wrong_file_is_not_fetched_again_before_it_has_changed(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.files[MODEL] = bytes(len(NEW))
    refused(web, store, "its SHA-256 is another")
    assert web.sent_bytes[MODEL] == len(NEW)
    web.files[MODEL] = NEW
    assert ask(web, store) is not None


# Connections that break, and files that change -------------------------------------------------------------------


def test_what_is_missing_is_asked_for_at_once(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.answers[MODEL] = [breaking_off(20_000), breaking_off(10_000), serve_file]
    arrives(web, store)
    assert [headers.get("range") for headers in web.asked_for(MODEL)] == [None, "bytes=20000-", "bytes=30000-"]
    assert web.asked_for(MODEL)[2]["if-range"].startswith('"')
    assert web.sent_bytes[MODEL] == len(NEW)


def test_what_came_is_kept_over_a_restart(tmp_path: Path, web: ModelWeb) -> None:
    web.publish(NEW, 7)
    web.answers[MODEL] = [breaking_off(30_000), lambda request: None]
    store = ModelStore(tmp_path / "models", pytest.fail)
    with pytest.raises(UpdateError, match="hangs up"):
        ask(web, store)
    store.close()
    web.answers.clear()
    store = ModelStore(tmp_path / "models", pytest.fail)
    arrives(web, store)
    assert web.sent_bytes[MODEL] == len(NEW)
    store.close()


def test_a_server_that_gives_ever_less_is_given_up_for_this_time(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.answers[MODEL] = [breaking_off(1)]
    with pytest.raises(UpdateError, match="ends in the middle of the model"):
        ask(web, store)
    assert len(web.asked_for(MODEL)) == 5
    assert web.sent_bytes[MODEL] == 5


def test_a_server_that_gives_nothing_is_not_asked_again_at_once(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.answers[MODEL] = [breaking_off(0)]
    with pytest.raises(UpdateError, match="ends in the middle of the model"):
        ask(web, store)
    assert len(web.asked_for(MODEL)) == 1


def no_etag(answer: Callable[[Request], None]) -> Callable[[Request], None]:
    """Serve without ETags."""

    def respond(request: Request) -> None:
        send = request.send_header
        request.send_header = lambda name, value: None if name == "ETag" else send(name, value)
        answer(request)

    return respond


def plain(request: Request) -> None:
    """Answer as Python's http.server does: no ranges."""
    request.answer(200, request.server.web.files[request.path])


def range_of(start: int, whole: int) -> Callable[[Request], None]:
    return lambda request: request.answer(
        206, NEW[start:], Content_Range=f"bytes {start}-{len(NEW) - 1}/{whole}", ETag='"x"'
    )


RESUMPTIONS: dict[str, list[Callable[[Request], None]]] = {
    "without ETags": [no_etag(breaking_off(20_000)), no_etag(serve_file)],
    "without ranges": [breaking_off(20_000), plain],
    "another part": [no_etag(breaking_off(20_000)), range_of(10_000, 50_000), serve_file],
    "a part of something longer": [no_etag(breaking_off(20_000)), range_of(20_000, 60_000), serve_file],
    "another ETag": [breaking_off(20_000), range_of(20_000, 50_000), serve_file],
    "past the end": [breaking_off(20_000), lambda it: it.answer(416), serve_file],
}


@pytest.mark.parametrize("name", RESUMPTIONS)
def test_resuming_from_servers_of_all_kinds(name: str, web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.answers[MODEL] = list(RESUMPTIONS[name])
    arrives(web, store)
    asked = web.asked_for(MODEL)
    assert len(asked) == len(RESUMPTIONS[name])
    assert [headers.get("range") for headers in asked] == [None, "bytes=20000-", None][: len(asked)]


def test_a_file_that_changed_between_two_parts_is_fetched_whole(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.files[MODEL] = bytes(len(NEW))  # the upload of the right one comes a moment later
    web.answers[MODEL] = [breaking_off(20_000), lambda request: None]
    with pytest.raises(UpdateError, match="hangs up"):
        ask(web, store)
    web.files[MODEL], web.answers = NEW, {}
    arrives(web, store)
    assert web.asked_for(MODEL)[-1]["if-range"].startswith('"')


def test_parts_of_two_files_without_etags_are_found_out(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    zeros = bytes(len(NEW))
    web.answers[MODEL] = [
        lambda it: it.answer(200, zeros[:20_000], Content_Length="50000"),
        no_etag(serve_file),
        no_etag(serve_file),
    ]
    arrives(web, store)
    assert len(web.asked_for(MODEL)) == 3


def test_a_part_of_another_version_is_forgotten_and_nothing_else(web: ModelWeb, store: ModelStore) -> None:
    (store.download_folder / "mine.zip").touch()
    web.publish(model_bytes(5), 5)
    web.answers[MODEL] = [breaking_off(20_000), lambda request: None]
    with pytest.raises(UpdateError, match="hangs up"):
        ask(web, store)
    web.publish(NEW, 7)
    web.answers.clear()
    arrives(web, store)
    assert {path.name for path in store.download_folder.iterdir()} == {"fire.tflite", "mine.zip"}


@pytest.mark.parametrize("size_bytes", [10, 49_999, 50_000, 60_000])
def test_a_part_that_a_power_cut_damaged_is_found_out(size_bytes: int, web: ModelWeb, store: ModelStore) -> None:
    described = web.publish(NEW, 7)
    (store.download_folder / f"{described.sha256}.part").write_bytes(bytes(size_bytes))
    (store.download_folder / f"{described.sha256}.etag").write_bytes(b'"\r\nX: 1"')
    arrives(web, store)


# Slowness --------------------------------------------------------------------------------------------------------

HASTY = replace(LIMITS, window_s=0.3, lowest_bytes_per_s=1000.0)
TRICKLES = {
    "body": (MODEL, b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"),
    "body without a length": (MODEL, b"HTTP/1.1 200 OK\r\n\r\n"),
    "manifest": (MANIFEST, b"HTTP/1.1 200 OK\r\n\r\n"),
    "header": (MANIFEST, b"HTTP/1.1 200 OK\r\nServer: "),
    "status": (MODEL, b""),
}


@pytest.mark.parametrize("name", TRICKLES)
@pytest.mark.parametrize("encrypted", [False, True])
def test_a_server_that_trickles_is_given_up(name: str, encrypted: bool, tmp_path: Path, store: ModelStore) -> None:
    authority, certificate = certificates(tmp_path)
    with model_web(certificate if encrypted else None) as web:
        web.publish(NEW, 7)
        path, head = TRICKLES[name]
        web.answers[path] = [trickling(head)]
        with pytest.raises(UpdateError, match="gives fewer than 1000 bytes a second"):
            ask(web, store, limits=HASTY, ca_file=authority)


def test_what_a_slow_server_gave_counts_the_next_time(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"
    web.answers[MODEL] = [trickling(head + NEW[:40_000], NEW[40_000:]), no_etag(serve_file)]
    with pytest.raises(UpdateError, match="gives fewer than 1000 bytes a second"):
        ask(web, store, limits=replace(HASTY, window_s=0.8))
    ask(web, store)
    assert 0 < web.sent_bytes[MODEL] <= 10_000


def test_a_silent_server_is_given_up(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    web.answers[MANIFEST] = [lambda request: web.closing.wait(5) and None]
    with pytest.raises(UpdateError, match="does not answer in time"):
        ask(web, store, limits=replace(LIMITS, silence_s=0.2))


def test_fetching_ends_with_the_program(web: ModelWeb, store: ModelStore) -> None:
    web.publish(NEW, 7)
    stopping = threading.Event()

    def stop(request: Request) -> None:
        stopping.set()
        web.closing.wait(5)

    web.answers[MODEL] = [stop]
    with pytest.raises(UpdateError, match="ended with the program"):
        ask(web, store, stopping=stopping)


# Disks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_store(mount_disk: Callable[[str], Path]) -> Iterator[ModelStore]:
    """A store that is a disk of 256 KB."""
    opened = ModelStore(mount_disk("256k"), pytest.fail)
    yield opened
    opened.close()


def test_without_room_nothing_of_the_model_is_asked_for(small_store: ModelStore, web: ModelWeb) -> None:
    store = small_store
    web.publish(NEW, 7)
    room = replace(LIMITS, keep_free_bytes=220_000)
    assert "220" not in refused(web, store, "no room for the new model, 0.1 MB, beside the 0 MB", limits=room)
    assert web.asked_for(MODEL) == []
    arrives(web, store)


def test_a_disk_that_fills_up_meanwhile_is_not_left_full(small_store: ModelStore, web: ModelWeb) -> None:
    store, disk = small_store, small_store.folder
    run_version(web, store, 3)
    web.publish(NEW, 7)

    def fill_meanwhile(request: Request) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n" + NEW[:20_000])
        while not any(path.suffix == ".part" for path in store.download_folder.iterdir()):
            time.sleep(0.01)
        fill_disk(disk)
        request.wfile.write(NEW[20_000:])

    web.answers[MODEL] = [fill_meanwhile, serve_file]
    with pytest.raises(UpdateError, match="the disk is full"):
        ask(web, store)
    assert list(store.download_folder.iterdir()) == []
    current = store.current()
    assert current is not None
    assert current.manifest.version == 3
    assert file_sha256(current.path) == current.manifest.sha256
    (disk / "filler").unlink()
    arrives(web, store)


def test_accepting_on_a_full_disk_changes_nothing(small_store: ModelStore, web: ModelWeb) -> None:
    store, disk = small_store, small_store.folder
    run_version(web, store, 3)
    web.publish(NEW, 7)
    candidate = arrives(web, store)
    fill_disk(disk)
    before = snapshot(store)
    with pytest.raises(UpdateError, match="the disk is full"):
        store.accept(candidate)
    assert snapshot(store) == before
    (disk / "filler").unlink()
    assert store.accept(candidate).path.read_bytes() == NEW
