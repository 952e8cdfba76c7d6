"""One run on one device, on two, and on two machines; in float16, compiled, and with its pictures kept anywhere."""

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import keras
import tensorflow as tf

from edge_seg.dataset import SplitPolicy
from edge_seg.errors import TrainingError
from edge_seg.run_config import CacheKind, RunConfig
from edge_seg.synthetic import generate_dataset
from edge_seg_train import rendezvous
from edge_seg_train.distribution import is_chief, make_strategy
from edge_seg_train.network import build_unet
from edge_seg_train.optimisation import FINAL_RATE_SHARE, AdamW, LossScale
from edge_seg_train.rendezvous import MissingMachinesError, wait_for_all, wait_for_first
from edge_seg_train.sample_store import fitting_kind
from training_processes import TIMEOUT_S, Ended, Plan, addresses, begin, column, edge_seg, wait_for, weights

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)

OPTIONS = ("--size", 96, "--alpha", 0.35, "--encoder-weights", "none", "--batch-size", 4, "--epochs", 3, "--seed", 5)
ADAPTING, FROZEN = "--adapt-norm", "--freeze-norm"

# Two devices add the halves of a sum in another order than one: a float32 rounding of 6e-8, which the steps of a run
# carry on; Adam turns the sign of a gradient near 0 into a whole step. Unsynchronised BatchNorm moves a loss by 1e-2.
SAME_CURVE = 1e-4


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "data"
    generate_dataset(folder, count=12, size=96, split=SplitPolicy(val=0.25), numbers=range(12))
    return folder


def train(data: Path, folder: Path, *options: object, cpu_devices: int = 1) -> Path:
    """Train; return the run folder."""
    run, log = folder / "run", folder / "log"
    ended = edge_seg("train", "--data", data, "--out", run, *OPTIONS, *options, log=log, cpu_devices=cpu_devices)
    assert ended.code == 0, ended.output
    return run


@pytest.fixture(scope="module")
def one_device(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Runs on one device, by what their BatchNorm does."""
    return {
        batch_norm: train(data, tmp_path_factory.mktemp("one"), batch_norm, "--cache", "memory")
        for batch_norm in (ADAPTING, FROZEN)
    }


def assert_same_curve(run: Path, other: Path, tolerance: float = SAME_CURVE) -> None:
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(column(run, name), column(other, name), rtol=tolerance)


def assert_same_weights(run: Path, other: Path, tolerance: float = 1e-3) -> None:
    for mine, theirs in zip(weights(run / "best.keras"), weights(other / "best.keras"), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=tolerance)


@pytest.mark.parametrize("batch_norm", [ADAPTING, FROZEN])
def test_two_devices_learn_as_one(data: Path, one_device, tmp_path: Path, batch_norm: str) -> None:
    run = train(data, tmp_path, batch_norm, "--strategy", "mirrored", cpu_devices=2)
    assert_same_curve(run, one_device[batch_norm])
    assert_same_weights(run, one_device[batch_norm])


@pytest.mark.parametrize("several", [False, True])
def test_every_batch_norm_of_the_network_sees_all_devices(several: bool) -> None:
    config = RunConfig(data=Path("unused"), width=96, height=96, alpha=0.35, encoder_weights="none")
    model = build_unet(config, 3, synchronised=several)
    found = [
        layer.synchronized
        for layer in (*model.layers, *model.get_layer("encoder").layers)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert found == [several] * 58


def test_batch_norm_that_adapts_learns_otherwise(one_device) -> None:
    adapting, frozen = (column(one_device[each], "loss") for each in (ADAPTING, FROZEN))
    assert max(abs(a - b) for a, b in zip(adapting, frozen, strict=True)) > 100 * SAME_CURVE


# Machines.


def cluster(count: int, folder: Path) -> Iterator[Mapping[str, str]]:
    """Yield the environment of each machine; what it throws away lies in a folder of its own."""
    workers = addresses(count)
    for index in range(count):
        own = folder / f"machine {index}"
        own.mkdir()
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        yield {"TF_CONFIG": json.dumps(task), "TMPDIR": str(own)}


def on_machines(data: Path, run: Path, folder: Path, count: int, plans: Mapping[int, Plan]) -> list[Ended]:
    arguments = ("train", "--data", data, "--out", run, *OPTIONS, ADAPTING, "--strategy", "multiworker")
    logs = [folder / f"log {index}" for index in range(count)]
    processes = [
        begin(*arguments, variables=variables, plans=[plans[index]] if index in plans else [], log=logs[index])
        for index, variables in enumerate(cluster(count, folder))
    ]
    return [wait_for(process, log) for process, log in zip(processes, logs, strict=True)]


def test_two_machines_learn_as_one(data: Path, one_device, tmp_path: Path) -> None:
    run = tmp_path / "run"
    first, second = on_machines(data, run, tmp_path, 2, {})
    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert "next     edge-seg convert" in first.output
    assert "next     edge-seg convert" not in second.output
    assert list((tmp_path / "machine 1").glob("edge-seg-worker-*")) == []
    assert_same_curve(run, one_device[ADAPTING])
    assert_same_weights(run, one_device[ADAPTING])


def test_one_machine_of_a_cluster_learns_as_one_alone(data: Path, one_device, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (ended,) = on_machines(data, run, tmp_path, 1, {})
    assert ended.code == 0, ended.output
    assert_same_curve(run, one_device[ADAPTING])


EXAMPLE = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        json.dumps({"cluster": {"worker": []}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": {"worker": ["a:b"]}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": {"worker": ["a:70000"]}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": {"chief": ["a:1", "b:2"]}, "task": {"type": "chief", "index": 0}}),
        json.dumps({"cluster": {"worker": [1, 2]}, "task": {"type": "worker", "index": 0}}),
        json.dumps({"cluster": EXAMPLE["cluster"], "task": {"type": "worker", "index": 2}}),
        json.dumps({"cluster": EXAMPLE["cluster"], "task": {"type": "worker", "index": -1}}),
        json.dumps({"cluster": EXAMPLE["cluster"], "task": {"type": "worker", "index": "x"}}),
        json.dumps({"cluster": EXAMPLE["cluster"], "task": {"type": "ps", "index": 0}}),
        json.dumps({"cluster": EXAMPLE["cluster"], "task": {"type": "chief", "index": 0}}),
        json.dumps({"cluster": EXAMPLE["cluster"], "task": ["worker", 0]}),
        json.dumps({"cluster": EXAMPLE["cluster"]}),
        json.dumps({"task": EXAMPLE["task"]}),
    ],
)
def test_a_cluster_that_is_none_is_one_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    for ask in (lambda: is_chief("auto"), lambda: make_strategy("multiworker", 4)):
        with pytest.raises(TrainingError, match=r"TF_CONFIG .* describes no machines; write") as caught:
            ask()
        assert "\n" not in str(caught.value)


def meet(names: list[str], come: list[str], wait_s: float) -> list[str]:
    """Let the first machine wait for `names` while those who `come` report to it; return what each missed."""
    (address,) = addresses(1)
    host, _, port = address.partition(":")
    missed: list[str] = []

    def told(wait, *arguments: object) -> None:
        try:
            connected = wait(*arguments, "run", wait_s)
            for each in connected.values() if isinstance(connected, dict) else [connected]:
                each.close()
        except MissingMachinesError as missing:
            missed.append(str(missing))

    guests = [Thread(target=told, args=(wait_for_first, (host, int(port)), name)) for name in come]
    for guest in guests:
        guest.start()
    told(wait_for_all, int(port), names)
    for guest in guests:
        guest.join()
    return missed


@pytest.mark.parametrize(
    ("names", "come", "missed_by_first"),
    [
        ([], [], None),
        (["b:1"], ["b:1"], None),
        (["b:1", "c:1"], ["c:1", "b:1"], None),
        (["b:1", "c:1"], ["c:1", "c:1", "b:1"], None),
        ([f"{'long.' * 49}b:1"], [f"{'long.' * 49}b:1"], None),
        (["b:1", "c:1"], ["c:1"], "b:1"),
        (["b:1", "c:1"], [], "b:1, c:1"),
        (["b:1"], ["of another cluster"], "b:1"),
    ],
)
def test_machines_wait_for_each_other(names: list[str], come: list[str], missed_by_first: str | None) -> None:
    missed = meet(names, come, wait_s=3 if missed_by_first is None else 1)
    assert (missed[0] if missed_by_first else None) == missed_by_first
    strays = len(come) - len(names) if missed_by_first is None else len(come)
    assert len([each for each in missed if "or others that it waits for" in each]) == strays


def test_a_guest_who_says_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendezvous, "_INTRODUCTION_S", 0.2)
    (address,) = addresses(1)
    port = int(address.rpartition(":")[2])

    def wait() -> None:
        for each in wait_for_all(port, ["b:1"], "run", 5).values():
            each.close()

    first = Thread(target=wait)
    first.start()
    while first.is_alive():
        try:
            silent = socket.create_connection(("127.0.0.1", port), timeout=1)
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
    with silent:
        wait_for_first(("127.0.0.1", port), "b:1", "run", 5).close()
        first.join(5)
    assert not first.is_alive()


def test_several_machines_need_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(TrainingError, match="needs the machines in TF_CONFIG, such as"):
        make_strategy("multiworker", 4)


@pytest.mark.parametrize(
    ("jobs", "kind", "index", "chief"),
    [
        ({"worker": ["a:1", "b:2"]}, "worker", 0, True),
        ({"worker": ["a:1", "b:2"]}, "worker", 1, False),
        ({"chief": ["a:1"], "worker": ["b:2"]}, "chief", 0, True),
        ({"chief": ["a:1"], "worker": ["b:2"]}, "worker", 0, False),
    ],
)
def test_which_machine_writes(monkeypatch: pytest.MonkeyPatch, jobs, kind: str, index: int, chief: bool) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": jobs, "task": {"type": kind, "index": index}}))
    assert is_chief("multiworker") == is_chief("auto") == chief
    assert is_chief("one"), "a run of its own, whatever the environment says"


# What changes the weights.


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adamw_is_keras_own(weight_decay: float) -> None:
    config = RunConfig(data=Path("unused"), weight_decay=weight_decay)
    values = [np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4), np.linspace(-2, 2, 4, dtype=np.float32)]
    own, theirs = ([tf.Variable(value) for value in values] for _ in range(2))
    mine = AdamW(own, config, 0.1, steps=40)
    kernel_alone = keras.optimizers.AdamW(0.1, weight_decay=weight_decay)
    kernel_alone.exclude_from_weight_decay(var_list=[theirs[1]])
    kernel_alone.build(theirs)
    for step in range(40):
        gradients = [tf.constant(np.cos(value * (step + 1))) for value in values]
        kernel_alone.learning_rate = float(mine.learning_rate)
        mine.apply(gradients)
        kernel_alone.apply(gradients, theirs)
    for one, other in zip(own, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)
    assert np.abs(own[0].numpy() - values[0]).max() > 0.1


@pytest.mark.parametrize("steps", [1, 2, 40, 1000])
def test_the_rate_rises_and_falls(steps: int) -> None:
    optimizer = AdamW([tf.Variable([0.0])], RunConfig(data=Path("unused")), 0.5, steps)
    rates = []
    for _ in range(min(steps, 60)):
        rates.append(float(optimizer.learning_rate))
        optimizer.apply([tf.constant([1.0])])
    assert rates[0] == pytest.approx(0.5 * FINAL_RATE_SHARE)
    assert max(rates) <= 0.5
    if steps == 40:
        assert rates.index(max(rates)) == 2, "a twentieth of the steps warms up"
        assert rates[2:] == sorted(rates[2:], reverse=True)
        assert rates[-1] == pytest.approx(0.5 * FINAL_RATE_SHARE, rel=0.1)


BIG = np.float32(2**15)
FINE, OVERFLOW, NAN = (tf.constant([value, 1.0]) for value in (8.0, float("inf"), float("nan")))


@pytest.mark.parametrize(
    ("enabled", "good_steps", "gradient", "factor_after", "good_after", "unscaled"),
    [
        (True, 0, FINE, BIG, 1, 8.0 / BIG),
        (True, 7, OVERFLOW, BIG / 2, 0, float("inf")),
        (True, 7, NAN, BIG / 2, 0, None),
        (True, 1998, FINE, BIG, 1999, 8.0 / BIG),
        (True, 1999, FINE, BIG * 2, 0, 8.0 / BIG),
        (True, 1999, OVERFLOW, BIG / 2, 0, float("inf")),
        (False, 0, FINE, 1.0, 0, 8.0),
        (False, 0, OVERFLOW, 1.0, 0, float("inf")),
    ],
)
def test_loss_scale(enabled: bool, good_steps: int, gradient, factor_after, good_after: int, unscaled) -> None:
    scale = LossScale(enabled)
    scale.variables[1].assign(good_steps)
    assert unscaled is None or float(scale.unscaled([gradient])[0][0]) == unscaled
    scale.update(scale.fit([gradient]))
    assert [float(each) for each in scale.variables] == [factor_after, good_after]


def test_loss_scale_never_falls_below_one() -> None:
    scale = LossScale(True)
    for _ in range(20):
        scale.update(scale.fit([OVERFLOW]))
    assert float(scale.factor) == 1.0


def test_a_step_that_overflows_changes_no_weight() -> None:
    variable, scale = tf.Variable([[1.0, 2.0]]), LossScale(True)
    optimizer = AdamW([variable], RunConfig(data=Path("unused"), weight_decay=0.1), 0.5, 10)
    optimizer.apply(scale.unscaled([OVERFLOW[None]]), applies=scale.fit([OVERFLOW]))
    assert variable.numpy().tolist() == [[1.0, 2.0]]
    assert [float(tf.reduce_sum(tf.abs(tf.cast(each, tf.float32)))) for each in optimizer.variables] == [0, 0, 0]


# The same run, computed and kept otherwise.


def test_float16_learns_nearly_the_same_and_keeps_float32(data: Path, one_device, tmp_path: Path) -> None:
    run = train(data, tmp_path, ADAPTING, "--mixed-precision")
    assert_same_curve(run, one_device[ADAPTING], tolerance=0.02)  # float16 has 11 bits
    assert column(run, "loss") != column(one_device[ADAPTING], "loss"), "nothing was computed in float16"
    model = keras.models.load_model(run / "best.keras", compile=False)
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert {weight.dtype for weight in weights(run / "best.keras")} == {np.dtype(np.float32)}


def test_compiled_learns_the_same(data: Path, one_device, tmp_path: Path) -> None:
    assert_same_curve(train(data, tmp_path, ADAPTING, "--jit"), one_device[ADAPTING])


@pytest.mark.parametrize("cache", ["disk", "off", "auto"])
def test_where_pictures_are_kept_changes_nothing(data: Path, one_device, tmp_path: Path, cache: str) -> None:
    run = train(data, tmp_path, ADAPTING, "--cache", cache)
    assert_same_curve(run, one_device[ADAPTING], tolerance=0)
    assert {path.name for path in run.iterdir()} == {path.name for path in one_device[ADAPTING].iterdir()}


GB = 1_000_000_000


@pytest.mark.parametrize(
    ("size", "memory", "free_disk", "kind"),
    [
        (1, 16, 0, "memory"),
        (3.9, 16, 0, "memory"),
        (4.1, 16, 100, "disk"),
        (4.1, 16, 8.3, "disk"),
        (4.1, 16, 8.1, "off"),
        (0, 1, 0, "memory"),
    ],
)
def test_automatic_cache(size: float, memory: float, free_disk: float, kind: CacheKind) -> None:
    assert fitting_kind(*(int(each * GB) for each in (size, memory, free_disk))) == kind


@pytest.mark.parametrize("comes", [0, 1], ids=["the first comes alone", "the second comes alone"])
def test_a_machine_that_never_comes(data: Path, tmp_path: Path, comes: int) -> None:
    variables, log = list(cluster(2, tmp_path))[comes], tmp_path / "log"
    arguments = ("train", "--data", data, "--out", tmp_path / "run", *OPTIONS, "--strategy", "multiworker")
    ended = wait_for(begin(*arguments, variables=variables, log=log, wait_for_machines_s=5), log)
    assert ended.code == os.EX_TEMPFAIL, ended.output
    assert "Traceback" not in ended.output
    other = json.loads(variables["TF_CONFIG"])["cluster"]["worker"][1 - comes]
    assert ended.sentence.startswith(f"edge-seg: of the machines in TF_CONFIG, {other}")
    assert "within 5 seconds" in ended.sentence
    assert not (tmp_path / "run").exists()
    assert list(tmp_path.glob("machine */*")) == []
