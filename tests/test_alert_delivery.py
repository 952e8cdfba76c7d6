"""How alerts get to their receivers, and that none is lost on the way."""

import base64
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from alert_fixtures import Web, event, self_signed, wait_until, web
from edge_seg.alerts import AlertEvent
from edge_seg.alerts.command import Command
from edge_seg.alerts.courier import Courier, Notifier, Refused, Unreachable, close_couriers, receiver_outage
from edge_seg.alerts.folder import AlertFolder
from edge_seg.alerts.journal import Journal
from edge_seg.alerts.outbox import DiskOutbox, MemoryOutbox, Outbox
from edge_seg.alerts.store import EventStore
from edge_seg.alerts.webhook import Webhook
from edge_seg.errors import AlertError


class Receiver:
    """A notifier that fails as often as the test says."""

    name = "receiver"

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.down = False
        self.got: list[AlertEvent] = []
        self.closed = 0

    def deliver(self, event: AlertEvent) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if self.down:
            raise Unreachable("is down")
        self.got.append(event)

    def close(self) -> None:
        self.closed += 1


class Reports(list[str]):
    def about(self, words: str) -> list[str]:
        return [line for line in self if words in line]


def courier(notifier: Notifier, outbox: Outbox, reports: Reports) -> Courier:
    outage = receiver_outage(notifier.name, reports.append)
    return Courier(notifier, outbox, outage, reports.append, first_delay_s=0.02)


def fill(folder: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), (folder / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(1024))


def ids(events: list[AlertEvent]) -> list[str]:
    return [item.id for item in events]


def waiting(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT event_id FROM waiting WHERE refusal IS NULL ORDER BY number").fetchall()
    database.close()
    return [event_id for (event_id,) in rows]


@pytest.fixture
def reports() -> Reports:
    return Reports()


DiskOutboxes = Callable[..., DiskOutbox]


@pytest.fixture
def disk_outbox(reports: Reports) -> Iterator[DiskOutboxes]:
    stores: list[EventStore] = []

    def open_one(path: Path, **bounds: int) -> DiskOutbox:
        stores.append(EventStore(path, reports.append))
        return DiskOutbox(stores[-1], "there", "receiver", reports.append, **bounds)

    yield open_one
    for store in stores:
        store.close()


@pytest.fixture
def server() -> Iterator[Web]:
    with web() as opened:
        yield opened


def test_an_outage_is_told_once_and_nothing_is_lost_or_swapped(
    tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    receiver, events = Receiver(), [event() for _ in range(20)]
    receiver.down = True
    opened = courier(receiver, disk_outbox(tmp_path / "o.sqlite3"), reports)
    for item in events:
        opened.put(item)
    wait_until(lambda: len(reports) > 0)
    assert waiting(tmp_path / "o.sqlite3") == ids(events)
    receiver.down = False
    wait_until(lambda: len(receiver.got) == 20)
    assert close_couriers([opened], 5)
    assert receiver.got == events
    assert reports == ["receiver: is down; alerts wait until it works again", "receiver: works again"]
    assert waiting(tmp_path / "o.sqlite3") == []
    assert receiver.closed == 1


def test_what_was_not_delivered_is_delivered_by_the_next_run(
    tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    down, up, events = Receiver(), Receiver(), [event() for _ in range(3)]
    down.down = True
    opened = courier(down, disk_outbox(tmp_path / "o.sqlite3"), reports)
    for item in events:
        opened.put(item)
    started = time.monotonic()
    assert close_couriers([opened], 5)
    assert time.monotonic() - started < 2  # it does not wait for a receiver that is down
    again = courier(up, disk_outbox(tmp_path / "o.sqlite3"), reports)
    again.put(late := event())
    assert close_couriers([again], 5)
    assert up.got == [*events, late]


def test_what_the_receiver_refuses_does_not_hold_up_the_others(
    tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    receiver, events = Receiver(Refused("answers 400")), [event(f"fire {index}") for index in range(3)]
    opened = courier(receiver, disk_outbox(tmp_path / "o.sqlite3"), reports)
    for item in events:
        opened.put(item)
    assert close_couriers([opened], 5)
    assert receiver.got == events[1:]
    assert reports == ["receiver: answers 400; the alert 'fire 0' is put aside"]
    assert waiting(tmp_path / "o.sqlite3") == []
    again = courier(later := Receiver(), disk_outbox(tmp_path / "o.sqlite3"), reports)
    assert close_couriers([again], 5)
    assert later.got == events[:1]


def test_a_bound_drops_the_oldest_and_says_so(tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes) -> None:
    outbox, events = disk_outbox(tmp_path / "o.sqlite3", most=3), [event() for _ in range(5)]
    for item in events:
        outbox.put(item)
    assert waiting(tmp_path / "o.sqlite3") == ids(events[2:])
    assert reports == ["alerts for receiver: more than 3 wait; the oldest are dropped"]


def test_what_waits_is_counted_along_and_as_it_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "o.sqlite3"
    store = EventStore(path, print)
    assert store.counts() == {}
    for number in range(6):
        store.add(["hook", "siren"], f"e{number}", "{}")
    store.remove("hook", "e0")
    store.remove("hook", "e0")  # a second time: nothing is left to forget
    store.refuse("hook", "e1", "no")
    store.drop_oldest("siren", 4)
    counted = store.counts()
    store.close()
    again = EventStore(path, print)
    assert counted == again.counts() == {"hook": 5, "siren": 2}
    again.close()


def test_memory_has_a_bound_too(reports: Reports) -> None:
    outbox, events = MemoryOutbox("receiver", reports.append, most=3), [event() for _ in range(5)]
    for item in events:
        outbox.put(item)
    assert outbox.unsaved() == events[2:]
    assert len(reports) == 1


@pytest.mark.parametrize("full_from_the_start", [True, False])
def test_a_full_disk_loses_nothing(
    small_disk: Path, reports: Reports, full_from_the_start: bool, disk_outbox: DiskOutboxes
) -> None:
    receiver = Receiver()
    receiver.down = True
    path = small_disk / "o.sqlite3"
    opened = courier(receiver, disk_outbox(path), reports)
    events = [event() for _ in range(6)]
    if not full_from_the_start:
        opened.put(events[0])
    fill(small_disk)
    for item in events[not full_from_the_start : 4]:
        opened.put(item)
    wait_until(lambda: bool(reports.about("cannot be stored: the disk is full; they wait in memory")))
    (small_disk / "filler").unlink()
    for item in events[4:]:
        opened.put(item)
    wait_until(lambda: waiting(path) == ids(events), "all on the disk")
    assert reports.about("cannot be stored: works again")
    receiver.down = False
    wait_until(lambda: len(receiver.got) == 6)
    assert close_couriers([opened], 5)
    assert receiver.got == events


def test_a_disk_that_stays_full_still_lets_alerts_through_once(
    small_disk: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    path = small_disk / "o.sqlite3"
    first = event()
    disk_outbox(path).put(first)
    fill(small_disk)
    receiver = Receiver()
    opened = courier(receiver, disk_outbox(path), reports)
    second = event()
    opened.put(second)
    wait_until(lambda: len(receiver.got) == 2)
    time.sleep(0.1)
    assert receiver.got == [first, second]
    assert close_couriers([opened], 5)


def test_what_is_in_memory_alone_at_the_end_is_told(reports: Reports) -> None:
    receiver = Receiver()
    receiver.down = True
    opened = courier(receiver, MemoryOutbox("receiver", reports.append), reports)
    opened.put(lost := event())
    assert close_couriers([opened], 1)
    assert reports[-1] == f"receiver: not delivered and not stored: {lost.to_json()}"


@pytest.mark.parametrize("damage", [b"no database", b"SQLite format 3\0" + bytes(200)])
def test_a_damaged_outbox_is_kept_and_a_new_one_begun(
    tmp_path: Path, reports: Reports, damage: bytes, disk_outbox: DiskOutboxes
) -> None:
    path = tmp_path / "o.sqlite3"
    path.write_bytes(damage)
    outbox = disk_outbox(path)
    outbox.put(item := event())
    assert outbox.first() == item
    assert waiting(path) == [item.id]
    assert (tmp_path / "o.sqlite3.damaged").read_bytes() == damage
    assert len(reports.about("is damaged")) == 1


def test_events_are_put_and_delivered_at_once_from_many_threads(
    tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    receiver = Receiver()
    opened = courier(receiver, disk_outbox(tmp_path / "o.sqlite3"), reports)
    threads = [threading.Thread(target=lambda: [opened.put(event()) for _ in range(25)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert close_couriers([opened], 20)
    assert len(set(ids(receiver.got))) == len(receiver.got) == 100


def test_the_journal_has_a_line_per_event_and_may_be_rotated(tmp_path: Path) -> None:
    journal, events = Journal(tmp_path / "new" / "alerts.jsonl"), [event() for _ in range(3)]
    for item in events[:2]:
        journal.deliver(item)
    Journal(tmp_path / "new" / "alerts.jsonl").deliver(events[1])  # after a kill between writing and taking note of it
    (tmp_path / "new" / "alerts.jsonl").rename(tmp_path / "old.jsonl")
    journal.deliver(events[2])
    assert (tmp_path / "old.jsonl").read_text() == "".join(f"{item.to_json()}\n" for item in events[:2])
    assert json.loads((tmp_path / "new" / "alerts.jsonl").read_text())["id"] == events[2].id


def test_the_journal_waits_for_a_full_disk_and_writes_no_part_of_a_line(small_disk: Path, reports: Reports) -> None:
    path = small_disk / "alerts.jsonl"
    opened = courier(Journal(path), MemoryOutbox(str(path), reports.append), reports)
    events = [event("f" * 3000) for _ in range(40)]
    for item in events:
        opened.put(item)
    wait_until(lambda: bool(reports.about("the disk is full")))
    lines = path.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids(events[: len(lines)])
    path.write_text("")
    wait_until(lambda: path.read_text().count("\n") + len(lines) >= 16)
    assert close_couriers([opened], 2)
    rest = [json.loads(line)["id"] for line in path.read_text().splitlines()]
    assert [*(json.loads(line)["id"] for line in lines), *rest] == ids(events[: len(lines) + len(rest)])


def test_a_webhook_gets_the_event_as_json(tmp_path: Path, server: Web) -> None:
    (tmp_path / "s.jpg").write_bytes(b"jpeg")
    hook = Webhook(f"http://us%40er:pass@127.0.0.1:{server.port}/a/b?c=d#e", tmp_path, pictures=True)
    hook.deliver(item := event(snapshot="s.jpg"))
    hook.deliver(event(snapshot="gone.jpg"))
    assert server.posted[0] == {**item.record(), "snapshot_jpeg": base64.b64encode(b"jpeg").decode()}
    assert server.posted[1]["snapshot_jpeg"] is None
    path, headers = server.requests[0]
    assert path == "/a/b?c=d"
    assert headers["idempotency-key"] == item.id
    assert headers["authorization"] == "Basic " + base64.b64encode(b"us@er:pass").decode()


def test_a_webhook_sends_its_token(tmp_path: Path, server: Web) -> None:
    Webhook(f"http://127.0.0.1:{server.port}", tmp_path, token="t0ken").deliver(event())
    assert server.requests[0][1]["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("status", "headers", "failure", "says"),
    [
        (400, {}, Refused, "answers 400 Bad Request"),
        (404, {}, Refused, "answers 404"),
        (301, {"Location": "https://example.org/secret"}, Refused, "leads to https://example.org: give the final"),
        (408, {}, Unreachable, "answers 408"),
        (429, {"Retry-After": "7"}, Unreachable, "answers 429"),
        (500, {}, Unreachable, "answers 500"),
        (503, {"Retry-After": "soon"}, Unreachable, "answers 503"),
    ],
)
def test_what_a_webhook_makes_of_an_answer(
    tmp_path: Path, server: Web, status: int, headers: dict[str, str], failure: type[Exception], says: str
) -> None:
    server.status, server.headers = status, headers
    with pytest.raises(failure, match=says) as caught:
        Webhook(f"http://127.0.0.1:{server.port}", tmp_path).deliver(event())
    if isinstance(caught.value, Unreachable):
        assert caught.value.retry_after_s == (7 if status == 429 else None)


def test_a_webhook_that_hangs_is_given_up(tmp_path: Path, server: Web) -> None:
    server.hangs_s = 1.0
    with pytest.raises(Unreachable, match="does not answer in time"):
        Webhook(f"http://127.0.0.1:{server.port}", tmp_path, timeout_s=0.2).deliver(event())


def test_a_webhook_that_fails_hangs_and_comes_back_gets_everything(
    tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    events = [event() for _ in range(9)]
    with web() as server:
        port = server.port
        hook = Webhook(f"http://127.0.0.1:{port}/secret", tmp_path, timeout_s=0.3)
        opened = courier(hook, disk_outbox(tmp_path / "o.sqlite3"), reports)
        opened.put(events[0])
        wait_until(lambda: len(server.posted) == 1)
        server.status = 503
        opened.put(events[1])
        wait_until(lambda: len(server.requests) >= 3)
        server.hangs_s = 0.6
        opened.put(events[2])
    for item in events[3:]:
        opened.put(item)
    wait_until(lambda: len(waiting(tmp_path / "o.sqlite3")) == 8)
    with web(port=port) as server:
        opened.wake()
        wait_until(lambda: len(server.posted) == 8)
        assert close_couriers([opened], 5)
        assert [item["id"] for item in server.posted] == ids(events[1:])
    assert len(reports.about("answers 503")) == len(reports.about(": works again")) == len(reports) - 1 == 1
    assert not reports.about("secret")


def test_a_certificate_nobody_vouches_for_is_refused_unless_it_is_given(tmp_path: Path) -> None:
    certificate = self_signed(tmp_path)
    with web(certificate) as server:
        url = f"https://127.0.0.1:{server.port}"
        with pytest.raises(Unreachable, match=r"certificate is not trusted \(self-signed certificate\).*--ca-file"):
            Webhook(url, tmp_path).deliver(event())
        Webhook(url, tmp_path, ca_file=tmp_path / "cert.pem").deliver(event())
        assert len(server.posted) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.org/hook", "http://example.org: would send alerts unencrypted"),
        ("http://user:secret@93.184.216.34/token", "http://93.184.216.34: would send"),
        ("ftp://user:secret@host/token", "ftp://host: is no address by http or https"),
        ("https:///token", "is no address"),
        ("https://[::1/token", "is no address"),
        ("https://host:99999/token", "is no address"),
        ("https://host/a token", "is no address"),
        ("https://user:secret/more@host/", "is no address"),
    ],
)
def test_a_bad_address_is_one_sentence_without_its_secrets(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(AlertError) as caught:
        Webhook(url, tmp_path)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://localhost/", "http://[::1]:8080", "http://192.168.1.7/x", "http://ha.local/x", "http://ha:8123/x"]
)
def test_the_own_network_needs_no_encryption(tmp_path: Path, url: str) -> None:
    Webhook(url, tmp_path)


def test_a_file_without_certificates_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    for name in ("ca.pem", "absent.pem"):
        with pytest.raises(AlertError, match=rf"{name}: cannot be read as certificates"):
            Webhook("https://host", tmp_path, ca_file=tmp_path / name)


def test_a_command_finds_the_event_and_cannot_be_injected_into(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("EDGE_SEG_WEBHOOK_TOKEN", "s3cret")
    nasty = "$(touch injected); `touch injected`"
    item = event(nasty, snapshot="snapshots/a.jpg")
    line = f'cd "{tmp_path}"; echo "$EDGE_SEG_ALERT|$EDGE_SEG_SNAPSHOT|$EDGE_SEG_WEBHOOK_TOKEN" > env; cat > in'
    Command(line, tmp_path).deliver(item)
    assert (tmp_path / "env").read_text() == f"{nasty}|{tmp_path}/snapshots/a.jpg|\n"
    assert json.loads((tmp_path / "in").read_text()) == item.record()
    assert not (tmp_path / "injected").exists()


@pytest.mark.parametrize(
    ("line", "failure", "says"),
    [
        ("echo 'no siren' >&2; exit 3", Refused, r"ended with exit code 3 \(no siren\)"),
        ("exit 75", Unreachable, "asks for another try"),
        ("/no/such/program", Refused, "exit code 127"),
    ],
)
def test_what_a_command_says_by_its_exit_code(tmp_path: Path, line: str, failure: type[Exception], says: str) -> None:
    with pytest.raises(failure, match=says):
        Command(line, tmp_path).deliver(event())


def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    line = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    with pytest.raises(Refused, match=r"took more than 0\.5 s"):
        Command(line, tmp_path, timeout_s=0.5).deliver(event())
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_running(child), "the end of the child")


def test_what_a_command_leaves_in_the_background_holds_nothing_up(tmp_path: Path) -> None:
    started = time.monotonic()
    Command("sleep 5 &", tmp_path).deliver(event())
    assert time.monotonic() - started < 4


def test_closing_ends_a_running_command_and_keeps_its_event(
    tmp_path: Path, reports: Reports, disk_outbox: DiskOutboxes
) -> None:
    command = Command(f"touch {tmp_path}/started; sleep 60", tmp_path)
    opened = courier(command, disk_outbox(tmp_path / "o.sqlite3"), reports)
    opened.put(item := event())
    wait_until((tmp_path / "started").exists)
    started = time.monotonic()
    assert close_couriers([opened], 0.2)
    assert time.monotonic() - started < 2
    assert waiting(tmp_path / "o.sqlite3") == [item.id]


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_folder_of_alerts_belongs_to_one_camera(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path / "a" / "b")
    with pytest.raises(AlertError, match="another camera keeps its alerts there"):
        AlertFolder(tmp_path / "a" / "b")
    folder.close()
    assert list(tmp_path.iterdir()) == []
    AlertFolder(tmp_path / "a").close()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AlertError, match="cannot be written"):
        AlertFolder(tmp_path / "file" / "alerts")


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_descriptor_is_left_open(tmp_path: Path, reports: Reports) -> None:
    def once() -> None:
        folder = AlertFolder(tmp_path / "alerts")
        store = EventStore(folder.outbox, reports.append)
        opened = courier(Receiver(), DiskOutbox(store, "there", "receiver", reports.append), reports)
        opened.put(event())
        assert close_couriers([opened], 5)
        store.close()
        folder.close()
        Command("true", tmp_path).deliver(event())

    once()
    before = open_descriptors()
    for _ in range(5):
        once()
    assert open_descriptors() == before
