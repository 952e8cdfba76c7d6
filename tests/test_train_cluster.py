"""Training on several machines, of which some are lost, and the files that start it under Slurm and Kubernetes."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg.dataset import SplitPolicy
from edge_seg.synthetic import generate_dataset
from edge_seg_train.lifeline import Lifeline
from edge_seg_train.rendezvous import AnotherRunError, wait_for_all, wait_for_first
from training_processes import (
    TIMEOUT_S,
    Ended,
    Moment,
    Plan,
    addresses,
    begin,
    column,
    edge_seg,
    history,
    wait_for,
    weights,
)

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)

ROOT = Path(__file__).parents[1]
SCRIPT, MANIFEST = ROOT / "train/cluster/train.slurm", ROOT / "train/cluster/train-job.yaml"

OPTIONS = ("--size", 96, "--alpha", 0.35, "--encoder-weights", "none", "--batch-size", 4, "--epochs", 3, "--seed", 5)
SAME_CURVE = 1e-4  # as for two devices: sums in another order


def command(data: Path, run: Path, *options: object) -> tuple[object, ...]:
    return ("train", "--data", data, "--out", run, *OPTIONS, "--adapt-norm", *options)


def on_two_machines(
    arguments: tuple[object, ...],
    folder: Path,
    plans: Mapping[int, Plan],
    own: tuple[tuple[object, ...], tuple[object, ...]] = ((), ()),
) -> tuple[Ended, Ended, str]:
    """Run a command on two machines, each with `own` options.

    Return what became of them, and the address of the machine with a plan.
    """
    folder.mkdir()
    workers = addresses(2)
    logs = [folder / f"log {index}" for index in range(2)]
    tasks = [{"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}} for index in range(2)]
    processes = [
        begin(
            *arguments,
            *own[index],
            variables={"TF_CONFIG": json.dumps(tasks[index])},
            plans=[plans[index]] if index in plans else [],
            log=logs[index],
        )
        for index in range(2)
    ]
    first, second = (wait_for(process, log) for process, log in zip(processes, logs, strict=True))
    return first, second, workers[next(iter(plans), 0)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "data"
    generate_dataset(folder, count=12, size=96, split=SplitPolicy(val=0.25), numbers=range(12))
    return folder


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    first, second, _ = on_two_machines(command(data, folder / "run", "--go-on"), folder / "logs", {})
    assert (first.code, second.code) == (0, 0), first.output + second.output
    return folder / "run"


# Each machine writes a state, of which the first's alone lasts. This is before the second one is there.
IN_EPOCH_2 = Moment("os.rename", "last.npz", count=2)


@pytest.fixture(scope="module")
def lost(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Path]:
    """Runs that lost a machine, by its index: the first is killed, the second is asked to end."""
    runs: dict[int, Path] = {}
    for index, how, code in ((0, signal.SIGKILL, -signal.SIGKILL), (1, signal.SIGTERM, 130)):
        folder = tmp_path_factory.mktemp("lost")
        run = runs[index] = folder / "run"
        ends = {index: Plan(IN_EPOCH_2, signal=how)}
        *ended, address = on_two_machines(command(data, run, "--go-on"), folder / "logs", ends)
        victim, survivor = ended[index], ended[1 - index]
        assert victim.code == code, victim.output
        assert survivor.code == os.EX_TEMPFAIL, survivor.output
        assert "Traceback" not in survivor.output
        assert survivor.sentence.startswith(f"edge-seg: {address} of the machines in TF_CONFIG has ended")
        assert survivor.sentence.endswith(f"edge-seg train --resume {run}")
        assert (run / "last.npz").is_file()
    return runs


def test_the_same_command_goes_on_to_the_same_weights(data: Path, uninterrupted: Path, lost, tmp_path: Path) -> None:
    run = shutil.copytree(lost[0], tmp_path / "run")
    first, second, _ = on_two_machines(command(data, run, "--go-on"), tmp_path / "logs", {})
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert "going on after epoch 1" in first.output
    assert history(run) == history(uninterrupted)
    assert all(map(np.array_equal, weights(run / "best.keras"), weights(uninterrupted / "best.keras")))
    assert {path.name for path in run.iterdir()} == {path.name for path in uninterrupted.iterdir()}


def test_a_first_machine_lost_at_the_very_end(data: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ends = {0: Plan(Moment("os.remove", "last.npz"), signal=signal.SIGKILL)}
    _, second, _ = on_two_machines(command(data, run, "--go-on"), tmp_path / "lost", ends)
    assert second.code == os.EX_TEMPFAIL, "it waits until the first has finished"
    first, second, _ = on_two_machines(command(data, run, "--go-on"), tmp_path / "again", {})
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert history(run) == history(uninterrupted)


def test_one_machine_goes_on_with_the_run_of_two(uninterrupted: Path, lost, tmp_path: Path) -> None:
    run = shutil.copytree(lost[1], tmp_path / "run")
    ended = edge_seg("train", "--resume", run, "--strategy", "one", log=tmp_path / "log")
    assert ended.code == 0, ended.output
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(column(run, name), column(uninterrupted, name), rtol=SAME_CURVE)


def test_machines_with_other_options_do_not_begin(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    own = (("--dropout", 0.0), ("--dropout", 0.25))
    *ended, _ = on_two_machines(command(data, run), tmp_path / "logs", {}, own)
    assert [each.code for each in ended] == [1, 1]
    assert all("were not told to do the same run" in each.sentence for each in ended)
    assert not run.exists()


def test_a_finished_run_is_gone_on_with_in_no_time(data: Path, uninterrupted: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in uninterrupted.rglob("*")}
    ended = edge_seg(*command(data, uninterrupted, "--go-on"), log=tmp_path / "log")
    assert ended.code == 0
    assert ended.sentence == f"{uninterrupted}: is finished already"
    assert {path: path.stat().st_mtime_ns for path in uninterrupted.rglob("*")} == before


@pytest.mark.parametrize("which", ["finished", "lost"])
def test_a_run_with_other_options_is_not_gone_on_with(
    data: Path, uninterrupted: Path, lost, tmp_path: Path, which: str
) -> None:
    folder = {"finished": uninterrupted, "lost": lost[0]}[which]
    ended = edge_seg(*command(data, folder, "--go-on", "--dropout", 0.5), log=tmp_path / "log")
    assert ended.code == 1
    assert "was begun with dropout 0.0, not 0.5" in ended.sentence


# What holds the machines together.


class Cluster:
    """Three machines in one process: the first, and two that are connected to it."""

    def __init__(self) -> None:
        pairs = {name: tcp_pair() for name in ("b:1", "c:1")}
        self.heard = {name: Heard() for name in ("a:1", *pairs)}
        self.lines = {"a:1": Lifeline({name: pair[0] for name, pair in pairs.items()}, when_lost=self.heard["a:1"])}
        for name, (_, other) in pairs.items():
            self.lines[name] = Lifeline({"a:1": other}, is_first=False, when_lost=self.heard[name])


class Heard:
    """Notes who is lost."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._event = Event()

    def __call__(self, name: str) -> None:
        self.names.append(name)
        self._event.set()

    def wait(self) -> list[str]:
        assert self._event.wait(10)
        return self.names


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return listener.accept()[0], one


@pytest.fixture
def three() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    for line in cluster.lines.values():
        line.close()


@pytest.mark.parametrize("lost", ["a:1", "b:1", "c:1"])
def test_all_hear_who_is_lost(three: Cluster, lost: str) -> None:
    three.lines[lost].close()
    others = three.lines.keys() - {lost}
    assert {name: three.heard[name].wait() for name in others} == {name: [lost] for name in others}
    assert {three.lines[name].wait_for_loss(10) for name in others} == {lost}
    assert three.heard[lost].names == []


def test_the_others_end_when_the_first_has_finished(three: Cluster) -> None:
    ends = [Thread(target=three.lines[name].finish) for name in ("b:1", "c:1")]
    for each in ends:
        each.start()
    three.lines["a:1"].finish()
    for each in ends:
        each.join(10)
    assert not any(each.is_alive() for each in ends)
    assert [line.lost for line in three.lines.values()] == [None] * 3
    assert [heard.names for heard in three.heard.values()] == [[]] * 3


def test_those_who_wait_for_the_first_hear_that_it_is_lost(three: Cluster) -> None:
    end = Thread(target=three.lines["b:1"].finish)
    end.start()
    three.lines["a:1"].close()
    end.join(10)
    assert three.lines["b:1"].lost == "a:1"


def test_the_first_needs_nobody_when_it_has_finished(three: Cluster) -> None:
    three.lines["c:1"].close()
    assert three.heard["a:1"].wait() == ["c:1"]
    three.lines["a:1"].finish()
    assert three.lines["a:1"].lost is None


def test_one_machine_alone_waits_for_nobody() -> None:
    alone = Lifeline({})
    alone.finish()
    alone.close()
    assert (alone.lost, alone.has_peers) == (None, False)


def test_a_machine_of_another_run_is_named_to_both() -> None:
    (address,) = addresses(1)
    host, _, port = address.partition(":")
    named: list[str] = []

    def first() -> None:
        with pytest.raises(AnotherRunError) as caught:
            wait_for_all(int(port), ["b:1"], "run", 10)
        named.append(str(caught.value))

    waiting = Thread(target=first)
    waiting.start()
    with pytest.raises(AnotherRunError, match=address):
        wait_for_first((host, int(port)), "b:1", "another", 10)
    waiting.join(10)
    assert named == ["b:1"]


# Slurm and Kubernetes.

FAKES = {
    "edge-seg": 'echo "$TF_CONFIG" >> "$NOTES/tasks"; echo "$*" >> "$NOTES/words"; exit "$CODE"',
    "scontrol": 'case $1 in show) echo node-1; echo node-2;; *) echo "$*" >> "$NOTES/asked";; esac',
    "srun": 'shift; code=0; for SLURM_PROCID in 0 1; do export SLURM_PROCID; "$@" || code=$?; done; exit $code',
}


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs that note what they are asked for, in front of those of the system."""
    for name, text in FAKES.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("NOTES", str(tmp_path))
    return tmp_path


def tasks(notes: Path) -> list[Any]:
    return [json.loads(line) for line in (notes / "tasks").read_text().splitlines()]


@pytest.mark.parametrize(
    ("code", "restarts", "requeued"),
    [
        (0, 0, False),
        (1, 0, False),
        (2, 0, False),
        (75, 0, True),
        (137, 4, True),
        (142, 0, True),
        (75, 5, False),
        (130, 0, False),
    ],
)
def test_the_slurm_script(fakes: Path, monkeypatch, code: int, restarts: int, requeued: bool) -> None:
    for name, value in {
        "CODE": code,
        "SLURM_JOB_NODELIST": "node-[1-2]",
        "SLURM_JOB_ID": 7,
        "SLURM_RESTART_COUNT": restarts,
    }.items():
        monkeypatch.setenv(name, str(value))
    ended = subprocess.run(["sh", SCRIPT, "--data", "a b", "--out", "run"], check=False, timeout=20)
    workers = ["node-1:29500", "node-2:29500"]
    assert tasks(fakes) == [
        {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}} for index in range(2)
    ]
    assert set((fakes / "words").read_text().splitlines()) == {
        "train --strategy multiworker --go-on --data a b --out run"
    }
    assert (fakes / "asked").exists() == requeued
    assert ended.returncode == (0 if requeued else code)
    if requeued:
        assert (fakes / "asked").read_text() == "requeue 7\n"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs Debian's shellcheck")
def test_the_slurm_script_is_clean_shell() -> None:
    subprocess.run(["shellcheck", SCRIPT], check=True, timeout=20)


def test_the_manifest_is_what_kubernetes_takes() -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for resource in yaml.safe_load_all(MANIFEST.read_text()):
        kubernetes_validate.validate(resource, "1.33", strict=True)
    resource["spec"]["completion"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(resource, "1.33", strict=True)


def test_every_pod_of_the_manifest_knows_its_place(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, job = yaml.safe_load_all(MANIFEST.read_text())
    name, spec, pod = job["metadata"]["name"], job["spec"], job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    port = container["ports"][0]["containerPort"]
    assert service["spec"]["selector"] == {"job-name": name}
    assert spec["podFailurePolicy"]["rules"][1]["onExitCodes"]["containerName"] == container["name"]
    workers = [f"{name}-{index}.{pod['subdomain']}:{port}" for index in range(spec["completions"])]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert spec["parallelism"] == spec["completions"]
    monkeypatch.setenv("CODE", "0")
    for index in range(spec["completions"]):
        monkeypatch.setenv("JOB_COMPLETION_INDEX", str(index))
        subprocess.run([*container["command"], *container["args"]], check=True, timeout=20)
    assert tasks(fakes) == [
        {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        for index in range(spec["completions"])
    ]
