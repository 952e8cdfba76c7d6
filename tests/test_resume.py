"""Runs that are interrupted, killed, starved of disk or of data, and go on."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()


from edge_seg.dataset import Dataset, SplitPolicy
from edge_seg.errors import EdgeSegError, TrainingError
from edge_seg.files import remove_parts
from edge_seg.run_config import RunConfig
from edge_seg.synthetic import generate_dataset
from edge_seg_train.run_ownership import existing_folder, new_folder
from edge_seg_train.training import resume
from training_processes import TIMEOUT_S, Ended, Moment, Plan, arrays, column, edge_seg, history, weights

pytestmark = pytest.mark.timeout(2 * TIMEOUT_S)

COUNT = 12
STEPS = ("--batch-size", 3, "--epochs", 3)
NETWORK = ("--size", 96, "--alpha", 0.35, "--encoder-weights", "none", "--adapt-norm", "--dropout", 0.3)
LEARNING = (*STEPS, *NETWORK, "--frozen-epochs", 1, "--average", 0.9, "--augment", "--seed", 7)


@dataclass(frozen=True)
class Finished:
    """A run from beginning to end, and its state just before it was removed."""

    run: Path
    state: Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "data"
    generate_dataset(folder, count=COUNT, size=96, split=SplitPolicy(val=0.25), numbers=range(COUNT))
    return folder


def whole_run(data: Path, folder: Path, *options: object) -> Finished:
    """Train without interruption."""
    run, state = folder / "run", folder / "state.npz"
    keep = Plan(Moment("os.remove", "last.npz"), copy=(run / "last.npz", state))
    ended = edge_seg("train", "--data", data, "--out", run, *LEARNING, *options, plans=[keep], log=folder / "log")
    assert ended.code == 0, ended.output
    return Finished(run, state)


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return whole_run(data, tmp_path_factory.mktemp("uninterrupted"))


def gone_on(run: Path) -> Finished:
    """Resume a run to its end."""
    state = run.with_name("state.npz")
    keep = Plan(Moment("os.remove", "last.npz"), copy=(run / "last.npz", state))
    ended = edge_seg("train", "--resume", run, plans=[keep], log=run.with_name("log"))
    assert ended.code == 0, ended.output
    return Finished(run, state)


def files_of(run: Path) -> list[str]:
    return sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())


def assert_same(one: Finished, other: Finished) -> None:
    """Every variable of the learner to the last bit, every figure of the history, and the same files."""
    mine, theirs = arrays(one.state), arrays(other.state)
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if not np.array_equal(mine[name], theirs[name])] == []
    assert all(map(np.array_equal, weights(one.run / "best.keras"), weights(other.run / "best.keras")))
    assert history(one.run) == history(other.run)
    assert files_of(one.run) == files_of(other.run)


def test_the_same_seed_gives_the_same_weights(data: Path, uninterrupted: Finished, tmp_path: Path) -> None:
    assert_same(whole_run(data, tmp_path), uninterrupted)
    losses = column(uninterrupted.run, "loss")
    assert len(set(losses)) == len(losses) == 3, "a run that learns nothing would always be the same"


# Epoch 2 is the first in which the encoder learns: tracing that takes a second at least.
IN_EPOCH_2, DELAY_S = Moment("os.rename", "last.npz"), 0.3
KILLED = -signal.SIGKILL
EVERY_WAY = {  # moment, signal, exit code, lines in the history
    "interrupted in an epoch": (IN_EPOCH_2, signal.SIGINT, 130, 1),
    "ended in the record": (Moment("os.rename", "epoch_002.png"), signal.SIGTERM, 130, 2),
    "killed while starting": (Moment("os.rename", "network.png"), signal.SIGKILL, KILLED, 0),
    "killed in the first record": (Moment("os.rename", "history.csv"), signal.SIGKILL, KILLED, 0),
    "killed in an epoch": (IN_EPOCH_2, signal.SIGKILL, KILLED, 1),
    "killed while the state is written": (Moment("os.rename", "last.npz", count=2), signal.SIGKILL, KILLED, 2),
}


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_resumed_run_ends_as_if_never_interrupted(
    data: Path, uninterrupted: Finished, tmp_path: Path, way: str
) -> None:
    moment, how, code, epochs_begun = EVERY_WAY[way]
    run = tmp_path / "run"
    stop = Plan(moment, signal=how, delay_s=DELAY_S if moment is IN_EPOCH_2 else 0.0)
    ended = edge_seg("train", "--data", data, "--out", run, *LEARNING, plans=[stop], log=tmp_path / "log")
    assert ended.code == code, ended.output
    assert "Traceback" not in ended.output
    assert len(history(run) if (run / "history.csv").exists() else []) == epochs_begun
    assert_same(gone_on(run), uninterrupted)


@pytest.fixture(scope="module")
def half_done(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted after its first epoch."""
    folder = tmp_path_factory.mktemp("half")
    plan = Plan(Moment("os.rename", "epoch_002.png"), signal=signal.SIGINT)
    ended = edge_seg("train", "--data", data, "--out", folder / "run", *LEARNING, plans=[plan], log=folder / "log")
    assert ended.code == 130, ended.output
    return folder / "run"


def copied(run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run, tmp_path / "run")


class NoProgress:
    """Progress of a run that must not begin."""

    def begin(self, config: RunConfig, steps_per_epoch: int, done: object) -> None:
        raise AssertionError("training began")

    def step(self, loss: float) -> None: ...

    def epoch(self, epoch: object, is_best: bool) -> None: ...


def assert_not_resumed(run: Path, *words: str) -> None:
    """It is refused in one sentence with all the words, and the folder stays as it was."""
    before = files_of(run) if run.exists() else None
    with pytest.raises(EdgeSegError) as caught:
        resume(run, NoProgress())
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    assert (files_of(run) if run.exists() else None) == before


def test_a_finished_run_is_not_resumed(uninterrupted: Finished) -> None:
    assert_not_resumed(uninterrupted.run, "is finished already")


def test_a_run_without_its_state_does_not_begin_anew(half_done: Path, tmp_path: Path) -> None:
    run = copied(half_done, tmp_path)
    (run / "last.npz").unlink()
    assert_not_resumed(run, "has 2 epochs but no last.npz", "--start-from")


def test_a_finished_run_without_its_report_is_finished(uninterrupted: Finished, tmp_path: Path) -> None:
    run = copied(uninterrupted.run, tmp_path)
    (run / "report.html").unlink(missing_ok=True)
    assert_not_resumed(run, "is finished already")


def test_a_run_goes_on_with_data_that_moved(
    half_done: Path, data: Path, uninterrupted: Finished, tmp_path: Path
) -> None:
    run, moved = copied(half_done, tmp_path), shutil.copytree(data, tmp_path / "data")
    config = run / "config.toml"
    config.write_text(config.read_text().replace(str(data), str(tmp_path / "gone")))
    assert_not_resumed(run, "gone")
    ended = edge_seg("train", "--resume", run, "--data", moved, "--cache", "off", log=tmp_path / "log")
    assert ended.code == 0, ended.output
    assert history(run) == history(uninterrupted.run)
    assert str(moved) in config.read_text()


@pytest.mark.parametrize("make", [lambda folder: None, Path.mkdir], ids=["absent", "empty"])
def test_a_folder_that_is_no_run_is_not_resumed(tmp_path: Path, make) -> None:
    make(tmp_path / "run")
    assert_not_resumed(tmp_path / "run", "no run to resume", "config.toml")


def test_changed_data_is_not_gone_on_with(half_done: Path, data: Path, tmp_path: Path) -> None:
    run, changed = copied(half_done, tmp_path), shutil.copytree(data, tmp_path / "data")
    config = run / "config.toml"
    config.write_text(config.read_text().replace(str(data), str(changed)))
    mask = next(iter(Dataset.open(changed).samples("val"))).mask_path
    mask.write_bytes(mask.read_bytes() + b"\0")
    assert_not_resumed(run, str(changed), "has changed since")


def test_a_run_is_not_resumed_twice_at_once(half_done: Path) -> None:
    descriptor = os.open(half_done, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert_not_resumed(half_done, "another process is training in it")
    finally:
        os.close(descriptor)


def test_two_processes_do_not_begin_the_same_run(tmp_path: Path) -> None:
    with new_folder(tmp_path / "run", "auto") as folder:
        folder.write_config(RunConfig(data=Path("data")))
        with pytest.raises(TrainingError, match="another process"), new_folder(tmp_path / "run", "auto"):
            pass
        with pytest.raises(TrainingError, match="another process"), existing_folder(tmp_path / "run", "auto"):
            pass
        assert folder.config_path.is_file()
    assert not (tmp_path / "run").exists()


def test_parts_of_a_killed_process_go_when_a_run_goes_on(tmp_path: Path) -> None:
    for name in (".last.12.part.npz", "samples/.epoch_001.9.part.png", ".LICENSE.7.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    for name in (".hidden", "a.12.part.npz", ".x.part.npz", "best.keras"):
        (tmp_path / name).write_bytes(b"")
    remove_parts(tmp_path)
    assert files_of(tmp_path) == [".hidden", ".x.part.npz", "a.12.part.npz", "best.keras"]


# What ends a run in one sentence.


def assert_one_sentence(ended: Ended, *words: str) -> None:
    assert ended.code == 1, ended.output
    assert "Traceback" not in ended.output
    assert ended.sentence.startswith("edge-seg: "), ended.output
    for word in words:
        assert word in ended.sentence


def test_early_stopping_ends_a_run_for_good(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ("--patience", 1, "--learning-rate", 1e-12, "--average", 0, "--dropout", 0)
    frozen = ("--freeze", "--frozen-epochs", 0, "--freeze-norm")
    ended = edge_seg("train", "--data", data, "--out", run, *LEARNING, *options, *frozen, log=tmp_path / "log")
    assert ended.code == 0, ended.output
    assert "ended early" in ended.output
    assert len(history(run)) == 2
    assert not (run / "last.npz").exists()
    assert_not_resumed(run, "is finished already")


@pytest.mark.parametrize(("rate", "epochs_kept"), [(3e38, 0), (1e20, 1)])
def test_a_loss_that_is_no_number(data: Path, tmp_path: Path, rate: float, epochs_kept: int) -> None:
    run = tmp_path / "run"
    # The encoder's gradients overflow, and they are not computed before the second epoch.
    ended = edge_seg(
        "train",
        "--data",
        data,
        "--out",
        run,
        *LEARNING,
        "--learning-rate",
        rate,
        "--weight-decay",
        0,
        log=tmp_path / "log",
    )
    assert_one_sentence(ended, f"in epoch {epochs_kept + 1}; train into another folder with a lower --learning-rate")
    assert run.exists() == bool(epochs_kept)
    if epochs_kept:
        assert f"the best of one epoch is kept as {run / 'best.keras'}" in ended.sentence
        assert len(weights(run / "best.keras")) > 0


AFTER_EPOCH_1 = Moment("os.rename", "epoch_00001.tfevents")


@pytest.mark.parametrize(
    ("cache", "loss_of"),
    [("off", "everything"), ("disk", "everything"), ("off", "a training picture"), ("disk", "a validation mask")],
)
def test_data_that_goes_while_a_run_goes(data: Path, tmp_path: Path, cache: str, loss_of: str) -> None:
    own, run = shutil.copytree(data, tmp_path / "data"), tmp_path / "run"
    dataset = Dataset.open(own)
    plan = {
        "everything": Plan(AFTER_EPOCH_1, remove=own),
        "a training picture": Plan(AFTER_EPOCH_1, overwrite=dataset.samples("train")[4].image_path),
        "a validation mask": Plan(AFTER_EPOCH_1, overwrite=dataset.samples("val")[1].mask_path),
    }[loss_of]
    ended = edge_seg(
        "train", "--data", own, "--out", run, *LEARNING, "--cache", cache, plans=[plan], log=tmp_path / "log"
    )
    named = plan.overwrite or own
    assert_one_sentence(ended, str(named), f"kept as {run / 'best.keras'}", f"edge-seg train --resume {run}")
    assert "TensorFlow" not in ended.sentence
    assert (run / "last.npz").is_file()
    assert not [name for name in files_of(run) if ".part" in name]


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("last.npz", Moment("open", ".part.npz", count=2)),
        ("best.keras", Moment("open", ".part.keras", count=2)),
        ("epoch_002.png", Moment("open", ".part.png", count=5)),
    ],
)
def test_a_full_disk_while_a_run_goes(
    data: Path, small_disk: Path, tmp_path: Path, written: str, moment: Moment
) -> None:
    run = small_disk / "run"
    fill = Plan(moment, fill=small_disk)
    ended = edge_seg("train", "--data", data, "--out", run, *LEARNING, plans=[fill], log=tmp_path / "log")
    assert_one_sentence(ended, written, "No space left on device", f"kept as {run / 'best.keras'}", "--resume")
    assert not [name for name in files_of(run) if ".part" in name]
    assert len(weights(run / "best.keras")) > 0
    (small_disk / "filler").unlink()
    assert edge_seg("train", "--resume", run, log=tmp_path / "log").code == 0


def test_no_room_for_the_cache(data: Path, small_disk: Path, tmp_path: Path) -> None:
    options = ("--cache", "disk", "--size", 512)
    run = small_disk / "run"
    ended = edge_seg("train", "--data", data, "--out", run, *LEARNING, *options, log=tmp_path / "log")
    assert_one_sentence(ended, str(run), "--cache off")
    assert not run.exists()
