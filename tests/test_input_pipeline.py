"""Which sample comes when: by seed and epoch alone."""

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from pathlib import Path

import numpy as np
import tensorflow as tf

from edge_seg.errors import ImageError
from edge_seg.run_config import RunConfig
from edge_seg_train.input_pipeline import TrainingStream, sample_numbers

SIZE = (96, 96)


class NumberedPictures:
    """Pictures whose every pixel says which one it is; one of them may be broken."""

    def __init__(self, count: int, broken: int | None = None) -> None:
        self._count, self._broken = count, broken

    def __len__(self) -> int:
        return self._count

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if index == self._broken:
            raise ImageError("picture 3 is broken")
        return np.full((*SIZE, 3), index, np.uint8), np.full(SIZE, index, np.uint8)


def config(**options) -> RunConfig:
    return RunConfig(data=Path("unused"), width=96, height=96, augment=False, encoder_weights="none", **options)


def numbers(count: int, settings: RunConfig, first_epoch: int = 0) -> list[tuple[int, ...]]:
    stream = sample_numbers(count, settings, first_epoch)
    return [(int(index), *map(int, seed)) for index, seed in stream.as_numpy_iterator()]


@pytest.mark.parametrize(("count", "batch_size", "per_epoch"), [(8, 4, 8), (10, 4, 12), (4, 4, 4), (5, 1, 5)])
def test_an_epoch_is_whole_batches_that_show_every_sample(count: int, batch_size: int, per_epoch: int) -> None:
    seen = numbers(count, config(epochs=3, batch_size=batch_size))
    assert len(seen) == 3 * per_epoch
    for epoch in range(3):
        indices = [index for index, *_ in seen[epoch * per_epoch : (epoch + 1) * per_epoch]]
        assert set(indices) == set(range(count))
        assert max(np.bincount(indices)) <= 2
    assert len({tuple(seed) for _, *seed in seen}) == len(seen), "every sample has a seed of its own"


def test_epochs_are_shuffled_anew_and_seeds_differ() -> None:
    first, second = (numbers(20, config(epochs=2, batch_size=4, seed=seed)) for seed in (0, 1))
    orders = [[index for index, *_ in part] for part in (first[:20], first[20:], second[:20])]
    assert orders[0] != orders[1]
    assert orders[0] != orders[2]
    assert first == numbers(20, config(epochs=2, batch_size=4, seed=0))


@pytest.mark.parametrize("first_epoch", [1, 2])
def test_a_later_start_is_the_rest_of_the_whole_stream(first_epoch: int) -> None:
    settings = config(epochs=3, batch_size=4)
    assert numbers(10, settings, first_epoch) == numbers(10, settings)[12 * first_epoch :]


def batches(settings: RunConfig, context: tf.distribute.InputContext | None = None) -> list[list[int]]:
    stream = TrainingStream(NumberedPictures(10), settings, SIZE, 255)
    return [images[:, 0, 0, 0].tolist() for images, _ in stream.batches(0, context).as_numpy_iterator()]


@pytest.mark.parametrize(("pipelines", "replicas"), [(1, 2), (2, 2), (2, 4)])
def test_devices_share_every_batch_in_order(pipelines: int, replicas: int) -> None:
    settings = config(epochs=2, batch_size=4)
    whole = batches(settings)
    parts = [batches(settings, tf.distribute.InputContext(pipelines, own, replicas)) for own in range(pipelines)]
    per_process = replicas // pipelines
    in_order = [
        number
        for turn in range(len(whole))
        for part in parts
        for batch in part[turn * per_process : (turn + 1) * per_process]
        for number in batch
    ]
    together = [in_order[step * 4 : (step + 1) * 4] for step in range(len(whole))]
    assert together == whole


def test_a_broken_picture_is_remembered_as_what_it_is() -> None:
    stream = TrainingStream(NumberedPictures(4, broken=3), config(epochs=1, batch_size=2), SIZE, 255)
    with pytest.raises(tf.errors.OpError):
        list(stream.batches(0))
    assert str(stream.fault) == "picture 3 is broken"


def test_augmentation_goes_with_the_sample_and_not_with_the_step() -> None:
    settings = RunConfig(data=Path("unused"), width=96, height=96, epochs=2, batch_size=5, encoder_weights="none")
    whole = list(TrainingStream(NumberedPictures(10), settings, SIZE, 255).batches(0).as_numpy_iterator())
    rest = list(TrainingStream(NumberedPictures(10), settings, SIZE, 255).batches(1).as_numpy_iterator())
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(whole[2:], rest, strict=True))
    assert not np.array_equal(whole[0][0], whole[2][0])
