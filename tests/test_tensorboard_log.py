"""TensorBoard's event files, read back by TensorBoard itself."""

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

import keras
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from edge_seg.metrics import Scores
from edge_seg_train.history import Epoch
from edge_seg_train.tensorboard_log import TensorBoardLog

CLASSES = ("background", "a leaf/b")
SHEET = np.full((20, 30, 3), (200, 0, 0), np.uint8)


def epoch(number: int, loss: float = 1.0) -> Epoch:
    return Epoch(number, loss, 2.0, Scores((0.5, 0.75), 0.875), 1e-3, 8.0, 0.25)


def read(folder: Path) -> EventAccumulator:
    read_back = EventAccumulator(os.fsencode(folder).decode("utf-8"), size_guidance={"scalars": 0, "images": 0})
    read_back.Reload()
    return read_back


def points(events: EventAccumulator, tag: str) -> list[tuple[int, Any]]:
    return [(event.step, pytest.approx(event.value)) for event in events.Scalars(tag)]


def test_every_figure_of_an_epoch_is_written(tmp_path: Path) -> None:
    TensorBoardLog(tmp_path).epoch(epoch(3), CLASSES, SHEET)
    events = read(tmp_path)
    expected = {
        "loss/training": 1.0,
        "loss/validation": 2.0,
        "validation/mIoU": 0.625,
        "validation/pixel accuracy": 0.875,
        "IoU/background": 0.5,
        "IoU/a leaf/b": 0.75,
        "learning rate": 1e-3,
        "seconds/epoch": 8.0,
        "seconds/waiting for pictures": 0.25,
    }
    assert {tag: points(events, tag) for tag in events.Tags()["scalars"]} == {
        tag: [(3, value)] for tag, value in expected.items()
    }
    (picture,) = events.Images("validation pictures")
    assert (picture.step, picture.width, picture.height) == (3, 30, 20)
    assert picture.encoded_image_string.startswith(b"\xff\xd8")


def test_an_epoch_that_is_done_again_shows_once(tmp_path: Path) -> None:
    killed = TensorBoardLog(tmp_path)
    for number in (1, 2, 3):
        killed.epoch(epoch(number), CLASSES, SHEET)
    resumed = TensorBoardLog(tmp_path)
    for number in (3, 4):
        resumed.epoch(epoch(number, loss=0.5), CLASSES, SHEET)
    events = read(tmp_path)
    assert points(events, "loss/training") == [(1, 1.0), (2, 1.0), (3, 0.5), (4, 0.5)]
    assert [picture.step for picture in events.Images("validation pictures")] == [1, 2, 3, 4]


def test_more_epochs_than_digits_of_a_file_name_sort_by_number(tmp_path: Path) -> None:
    log = TensorBoardLog(tmp_path)
    for number in (9, 10, 999, 1000):
        log.epoch(epoch(number), CLASSES, SHEET)
    assert [step for step, _ in points(read(tmp_path), "learning rate")] == [9, 10, 999, 1000]


def test_the_graph_is_that_of_the_network_and_written_once(tmp_path: Path) -> None:
    image = keras.Input((8, 8, 3), dtype="uint8")
    model = keras.Model(image, keras.layers.Conv2D(2, 1, name="kind")(keras.layers.Rescaling(1.0)(image)))
    log = TensorBoardLog(tmp_path)
    assert not log.has_graph
    log.graph(model)
    log.epoch(epoch(1), CLASSES, SHEET)
    assert TensorBoardLog(tmp_path).has_graph
    events = read(tmp_path)
    assert any("kind" in node.name for node in events.Graph().node)
    assert points(events, "validation/mIoU") == [(1, 0.625)]


def test_names_tell_nothing_of_the_machine(tmp_path: Path) -> None:
    TensorBoardLog(tmp_path).epoch(epoch(1), CLASSES, SHEET)
    (path,) = tmp_path.iterdir()
    assert path.name == "epoch_00001.tfevents"
    assert socket.gethostname().encode() not in path.read_bytes()
