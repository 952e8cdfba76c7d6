import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from datetime import timedelta
from pathlib import Path
from threading import Timer

import pytest

from edge_seg.archive import claim
from edge_seg.archive.claim import FOLDER, claimed
from edge_seg.archive.place import Place
from edge_seg.archive.processes import process_mark, process_runs
from edge_seg.archive.storage import open_output
from edge_seg.errors import SinkError
from object_stores import BUCKET, use_gs, use_s3, user_who_may

# Claims the output argv[1], says so, holds it until its input ends; or says the sentence.
HOLDER = """
import sys
from edge_seg.archive.claim import claimed
from edge_seg.archive.storage import open_output
from edge_seg.errors import SinkError
output = open_output(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    with claimed(output):
        print("holds", flush=True)
        sys.stdin.readline()
except SinkError as error:
    print(error, flush=True)
"""


@pytest.fixture(params=["local", "s3", "gs"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "s3":
        use_s3(monkeypatch, request.getfixturevalue("s3_url"))
        return f"s3://{BUCKET}/{tmp_path.name}"
    if request.param == "gs":
        use_gs(monkeypatch, request.getfixturevalue("gs_url"))
        return f"gs://{BUCKET}/{tmp_path.name}"
    return str(tmp_path / "out")


@pytest.fixture
def output(uri: str) -> Place:
    return open_output(uri)


@pytest.fixture
def start(uri: str) -> Generator[Callable[[], subprocess.Popen[str]]]:
    """Give a function that starts a process that is about to claim the output."""
    started: list[subprocess.Popen[str]] = []

    def begin() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert heard(process) == "ready"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def lay(output: Place, name: str, **changes: object) -> str:
    """Write a claim of a run on another host; return its name."""
    holder = {"host": "elsewhere", "pid": 7, "began": "2026-11-29 08:00:00 UTC", "process": "other/pid:[1]/9"} | changes
    output.write(f"{FOLDER}/{name}.json", json.dumps(holder).encode())
    return f"{FOLDER}/{name}.json"


def test_a_second_run_is_told_who_writes_and_the_first_leaves_nothing(
    output: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "_LONGEST_WAIT_S", 1e6)
    with claimed(output) as first:
        with pytest.raises(SinkError) as raised, claimed(output):
            pass
        assert str(raised.value).startswith(f"{output.uri}: another run writes there, process {os.getpid()} on ")
        assert "wait for it or give another output" in str(raised.value)
        first.check()
        assert len(output.names()) == 1
    assert output.names() == []
    with claimed(output):
        output.write("mask.png", b"x")
    assert output.names() == ["mask.png"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_run_that_fails_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), claimed(open_output(str(tmp_path / "a" / "out"))):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_of_runs_that_begin_together_one_goes_on(uri: str, start: Callable[[], subprocess.Popen[str]]) -> None:
    processes = [start() for _ in range(3)]
    for process in processes:
        tell(process)
    answers = [heard(process) for process in processes]
    assert sorted(answer == "holds" for answer in answers) == [False, False, True]
    assert sum("another run writes there" in answer for answer in answers) == 2
    tell(processes[answers.index("holds")])
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert open_output(uri).names() == []


def test_a_run_that_was_killed_is_taken_over_at_once(output: Place, start: Callable[[], subprocess.Popen[str]]) -> None:
    process = start()
    tell(process)
    assert heard(process) == "holds"
    with pytest.raises(SinkError, match=f"process {process.pid} on "), claimed(output):
        pass
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie is dead, too
    with claimed(output):
        assert len(output.names(FOLDER)) == 1
    assert output.names() == []


def test_a_run_that_is_interrupted_leaves_nothing(output: Place, start: Callable[[], subprocess.Popen[str]]) -> None:
    process = start()
    tell(process)
    assert heard(process) == "holds"
    process.send_signal(signal.SIGINT)
    assert process.wait() != 0
    assert output.names() == []


def test_a_claim_that_is_not_kept_up_is_taken_over(output: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    old = lay(output, "19990101T000000000000-dead")
    with pytest.raises(SinkError, match="process 7 on elsewhere since 2026-11-29 08:00:00 UTC"), claimed(output):
        pass
    assert output.names() == [old]
    monkeypatch.setattr(claim, "STALE", timedelta(0))
    with claimed(output):
        assert old not in output.names(FOLDER)
    assert output.names() == []


def test_how_old_a_claim_is_the_storage_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "_LONGEST_WAIT_S", 0.1)
    output = open_output(str(tmp_path))
    old = tmp_path / lay(output, "29990101T000000000000-ahead")
    for age_s, taken_over in ((240, False), (301, True)):
        os.utime(old, (time.time() - age_s, time.time() - age_s))
        try:
            with claimed(output):
                assert taken_over
        except SinkError:
            assert not taken_over


def test_of_two_that_see_each_other_the_earlier_stays_when_the_other_goes(tmp_path: Path) -> None:
    output = open_output(str(tmp_path))
    later = lay(output, "29990101T000000000000-later")
    going = Timer(0.5, output.remove, [later])
    going.start()
    with claimed(output):
        assert not going.is_alive()


def test_a_claim_is_kept_up_and_its_loss_is_told(output: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "REFRESH_S", 0.01)
    with claimed(output) as held:
        (name,) = output.names(FOLDER)
        written = output.modified_at(name)
        wait_until(lambda: output.modified_at(name) != written)
        held.check()
        wait_until(lambda: removed(output, name))
        wait_until(lambda: lost(held))
        with pytest.raises(SinkError, match=r"could not be kept up for 5 minutes.*type the same command again"):
            held.check()


def removed(output: Place, name: str) -> bool:
    """Remove a claim; False when the run wrote it again, having looked before it was removed."""
    output.remove(name)
    time.sleep(0.2)
    return not output.exists(name)


def lost(held: claim.Claim) -> bool:
    try:
        held.check()
    except SinkError:
        return True
    return False


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_claim_that_cannot_be_refreshed_for_long_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "REFRESH_S", 0.01)
    output = open_output(str(tmp_path / "out"))
    with claimed(output) as held:
        (name,) = output.names(FOLDER)
        (tmp_path / "out").rename(tmp_path / "away")
        monkeypatch.setattr(claim, "STALE", timedelta(seconds=0.2))
        wait_until(lambda: lost(held))
        (tmp_path / "away").rename(tmp_path / "out")
    assert not (tmp_path / "out" / name).exists()


def test_a_file_that_is_no_claim_is_one_sentence(output: Place) -> None:
    for data in (b"", b"[]", b'{"host": "a"}', b"\xff"):
        output.write(f"{FOLDER}/0.json", data)
        sentence = r"\.edge-seg-claims/0\.json: is not the claim of a run; remove the file"
        with pytest.raises(SinkError, match=sentence), claimed(output):
            pass
        assert output.names() == [f"{FOLDER}/0.json"]


@pytest.mark.parametrize(
    ("rights", "missing"),
    [(["ListBucket", "GetObject"], "write"), (["ListBucket", "GetObject", "PutObject"], "remove")],
)
def test_missing_rights_are_told_before_the_work(
    rights: list[str], missing: str, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with user_who_may(s3_url, rights) as (key, secret):
        use_s3(monkeypatch, s3_url, key, secret)
        with (
            pytest.raises(SinkError, match=f"may not {missing} here"),
            claimed(open_output(f"s3://{BUCKET}/{missing}")),
        ):
            pytest.fail("the work began")


def test_a_process_is_told_from_a_later_one_with_its_number(tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "60"])
    mark = process_mark(process.pid)
    assert process_runs(process.pid, mark) is True
    assert process_runs(process.pid, f"{mark}0") is False
    assert process_runs(process.pid, f"another boot/{mark.partition('/')[2]}") is None
    assert process_runs(process.pid, mark, proc=tmp_path) is None
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process_runs(process.pid, mark) is False
    process.wait()
    assert process_runs(process.pid, mark) is False
