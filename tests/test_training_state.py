"""What a run leaves for its resume: the state, the history, and when it is over."""

import io
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import tensorflow as tf

from edge_seg.dataset import Sample
from edge_seg.errors import TrainingError
from edge_seg.metrics import Scores
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.history import Epoch, as_written, read_history, write_history
from edge_seg_train.lifeline import Lifeline
from edge_seg_train.sample_store import open_store
from edge_seg_train.training import Run, _one_epoch
from edge_seg_train.training_state import restore_state, save_state
from edge_seg_train.validation import ScoredPicture, ValidationResult

SETTINGS = RunConfig(data=Path("pets"), seed=3)


def state_of(*values: float) -> list[tf.Variable]:
    return [tf.Variable([value, value]) for value in values]


def test_a_state_is_restored(tmp_path: Path) -> None:
    path, there = tmp_path / "last.npz", state_of(0.0, 0.0)
    save_state(path, state_of(1.5, 2.5), 4, SETTINGS)
    moved = SETTINGS.model_copy(update={"data": Path("elsewhere"), "cache": "off", "strategy": "one"})
    assert restore_state(path, there, moved) == 4
    assert [variable.numpy().tolist() for variable in there] == [[1.5, 1.5], [2.5, 2.5]]


@pytest.mark.parametrize(
    ("variables", "settings", "words"),
    [
        (state_of(0.0), SETTINGS, "another network"),
        (state_of(0.0, 0.0, 0.0), SETTINGS, "another network"),
        ([tf.Variable([0.0, 0.0]), tf.Variable([[0.0, 0.0]])], SETTINGS, "another network"),
        ([tf.Variable([0.0, 0.0]), tf.Variable([0, 0])], SETTINGS, "another network"),
        (state_of(0.0, 0.0), SETTINGS.model_copy(update={"seed": 4}), "other settings"),
    ],
)
def test_a_foreign_state_is_refused(tmp_path: Path, variables, settings: RunConfig, words: str) -> None:
    save_state(tmp_path / "last.npz", state_of(1.0, 2.0), 4, SETTINGS)
    with pytest.raises(TrainingError, match=words):
        restore_state(tmp_path / "last.npz", variables, settings)
    assert all((variable.numpy() == 0).all() for variable in variables), "nothing is half restored"


def npy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive", npy()])
def test_a_state_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last.npz").write_bytes(content)
    with pytest.raises(TrainingError, match=r"last\.npz: is damaged .*best\.keras"):
        restore_state(tmp_path / "last.npz", state_of(0.0), SETTINGS)


def test_every_damaged_byte_is_a_sentence_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "last.npz"
    save_state(path, state_of(1.0, 2.0), 4, SETTINGS)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        there = state_of(0.0, 0.0)
        try:
            done = restore_state(path, there, SETTINGS)
        except TrainingError:
            continue
        assert (done, [variable.numpy()[0] for variable in there]) == (4, [1.0, 2.0]), f"byte {place}"


# What a history holds.


def epoch_of(number: int, *iou: float) -> Epoch:
    return Epoch(number, 1 / 3, 2 / 3, Scores(iou, 0.1234567), 1.23456e-4, 1.26, 0.04)


def test_a_history_that_is_read_chooses_the_same_best_epoch(tmp_path: Path) -> None:
    epochs = [as_written(epoch_of(1, 0.70000049, float("nan"))), as_written(epoch_of(2, 0.69999951, 0.7))]
    write_history(tmp_path / "history.csv", epochs, ["a", "b"])
    text = (tmp_path / "history.csv").read_text()
    read = read_history(tmp_path / "history.csv")
    assert [epoch.scores.miou for epoch in read] == [epoch.scores.miou for epoch in epochs]
    write_history(tmp_path / "history.csv", read, ["a", "b"])
    assert (tmp_path / "history.csv").read_text() == text


@pytest.mark.parametrize(
    ("patience", "miou", "over"),
    [
        (0, (0.5, 0.1, 0.1, 0.1), False),
        (1, (0.5,), False),
        (1, (0.5, 0.6), False),
        (1, (0.5, 0.5), True),
        (2, (0.5, 0.6, 0.1), False),
        (2, (0.5, 0.6, 0.1, 0.2), True),
        (0, (0.1, 0.2, 0.3, 0.4, 0.5), True),
    ],
)
def test_patience(patience: int, miou: tuple[float, ...], over: bool) -> None:
    config = RunConfig(data=Path("pets"), epochs=5, patience=patience)
    epochs = [epoch_of(number, value) for number, value in enumerate(miou, start=1)]
    run = Run(RunFolder(Path("run")), Path("run"), config, Lifeline({}), epochs)
    assert run.is_over == over
    assert run.stopped_early == (over and len(miou) < 5)


class Ruined:
    """A step whose loss is fine, and the validation of the weights that it ruined."""

    learning_rate = 1e-3

    def step_of(self, epoch: int):
        return lambda batch: 0.5

    def validate(self) -> ValidationResult:
        sample = Sample(Path("a.png"), Path("a.png"))
        return ValidationResult((ScoredPicture(sample, np.eye(2, dtype=np.int64), float("nan")),))


class Silent:
    """Progress that nobody looks at."""

    def begin(self, config: RunConfig, steps_per_epoch: int, done: object) -> None: ...

    def step(self, loss: float) -> None: ...

    def epoch(self, epoch: object, is_best: bool) -> None: ...


def test_weights_that_the_last_step_ruined_are_not_recorded() -> None:
    run = Run(RunFolder(Path("run")), Path("run"), SETTINGS, Lifeline({}))
    with pytest.raises(FloatingPointError, match="the validation loss became nan in epoch 1"):
        _one_epoch(run, Ruined(), iter([0, 1]), 2, Ruined(), Silent())  # pyright: ignore[reportArgumentType]


def test_pictures_larger_than_memory_are_one_sentence() -> None:
    with pytest.raises(TrainingError, match=r"memory has no room for .* take --cache disk or off"):
        open_store(None, range(10**13), 96, 96, "memory", Path())  # pyright: ignore[reportArgumentType]
