"""Losses against what NumPy says, on a few pixels."""

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from pathlib import Path

import numpy as np
import tensorflow as tf

from edge_seg.run_config import RunConfig
from edge_seg_train.class_balance import weights_of_counts
from edge_seg_train.losses import cross_entropy, distillation, loss_of, lovasz_softmax, tversky

IGNORE = 255
CERTAIN = 60.0


def logits_of(classes: np.ndarray, class_count: int = 3) -> tf.Tensor:
    """Scores that are certain of the given class ids."""
    return tf.constant(CERTAIN * np.eye(class_count)[classes], tf.float32)


def random_case(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    truth = draw.choice(np.array([0, 1, 2, IGNORE], np.uint8), (2, 8, 6))
    return truth, draw.normal(size=(2, 8, 6, 3)).astype(np.float32)


def log_probabilities(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("weights", [None, (1.0, 1.0, 1.0), (0.5, 2.0, 1.0)])
def test_cross_entropy_is_the_mean_over_counted_pixels(weights: tuple[float, ...] | None) -> None:
    truth, logits = random_case()
    result = cross_entropy(tf.constant(truth), tf.constant(logits), IGNORE, weights)
    for index in range(2):
        counted = truth[index] != IGNORE
        labels = truth[index][counted]
        surprise = -log_probabilities(logits[index][counted])[np.arange(len(labels)), labels]
        expected = np.mean(surprise * np.array(weights or (1, 1, 1))[labels])
        assert float(result[index]) == pytest.approx(expected, rel=1e-5)


def test_focal_loss_plays_down_what_is_right() -> None:
    truth = tf.zeros((1, 1, 2), tf.uint8)
    sure, unsure = tf.constant([[[[4.0, 0.0], [4.0, 0.0]]]]), tf.constant([[[[0.1, 0.0], [0.1, 0.0]]]])
    shares = [
        float(cross_entropy(truth, x, IGNORE, None, 2.0)[0] / cross_entropy(truth, x, IGNORE)[0])
        for x in (sure, unsure)
    ]
    probability = 1 / (1 + np.exp(-np.array([4.0, 0.1])))
    assert shares == pytest.approx((1 - probability) ** 2, rel=1e-3)


@pytest.mark.parametrize(
    ("truth", "prediction", "miou"),
    [
        ([[0, 0, 1, 1]], [[0, 0, 1, 1]], 1.0),
        ([[0, 0, 1, 1]], [[0, 1, 1, 1]], (1 / 2 + 2 / 3) / 2),
        ([[0, 0, 1, 1]], [[1, 1, 0, 0]], 0.0),
        ([[0, 0, 1, IGNORE]], [[0, 0, 1, 0]], 1.0),
        ([[0, 0, 0, 0]], [[0, 0, 2, 2]], 1 / 2),  # class 2 is not in the truth, so it has no part in the mean
    ],
)
def test_lovasz_of_certain_predictions_is_one_minus_miou(
    truth: list[list[int]], prediction: list[list[int]], miou: float
) -> None:
    loss = lovasz_softmax(tf.constant([truth], tf.uint8), logits_of(np.array([prediction])), IGNORE)
    assert float(loss[0]) == pytest.approx(1 - miou, abs=1e-5)


def test_lovasz_looks_at_a_grid_of_large_pictures() -> None:
    truth = np.zeros((1, 256, 256), np.uint8)
    truth[:, :, 128:] = 1
    half_wrong = truth.copy()
    half_wrong[:, :128] = 0
    loss = lovasz_softmax(tf.constant(truth), logits_of(half_wrong, 2), IGNORE)
    assert float(loss[0]) == pytest.approx(1 - (2 / 3 + 1 / 2) / 2, abs=0.01)


@pytest.mark.parametrize(
    ("penalties", "prediction", "expected"),
    [
        ((0.5, 0.5), [0, 0, 1, 1], 0.0),
        ((0.5, 0.5), [1, 1, 0, 0], 2 / 3),  # smoothed by one pixel: (0 + 1) / (2 + 1)
        ((0.5, 0.5), [0, 1, 1, 1], 1 - ((1 + 1) / (1.5 + 1) + (2 + 1) / (2.5 + 1)) / 2),
        ((0.3, 0.7), [0, 1, 1, 1], 1 - ((1 + 1) / (1.7 + 1) + (2 + 1) / (2.3 + 1)) / 2),
    ],
)
def test_tversky_counts_misses_and_false_alarms(
    penalties: tuple[float, float], prediction: list[int], expected: float
) -> None:
    truth = tf.constant([[[0, 0, 1, 1]]], tf.uint8)
    loss = tversky(truth, logits_of(np.array([[prediction]]), 2), IGNORE, penalties)
    assert float(loss[0]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", ["cross-entropy", "focal", "dice", "tversky", "lovasz"])
def test_a_picture_does_not_depend_on_the_others_in_its_batch(name: str) -> None:
    loss = loss_of(RunConfig(data=Path("unused"), loss=name), IGNORE, None)
    truth, logits = random_case()
    together = loss(tf.constant(truth), tf.constant(logits)).numpy()
    alone = [loss(tf.constant(truth[i : i + 1]), tf.constant(logits[i : i + 1])).numpy()[0] for i in range(2)]
    assert together.shape == (2,)
    assert together == pytest.approx(alone, rel=1e-5)


@pytest.mark.parametrize("name", ["cross-entropy", "focal", "dice", "tversky", "lovasz"])
def test_a_picture_that_is_ignored_teaches_nothing(name: str) -> None:
    loss = loss_of(RunConfig(data=Path("unused"), loss=name), IGNORE, None)
    truth, logits = tf.fill((1, 4, 4), tf.constant(IGNORE, tf.uint8)), tf.Variable(random_case()[1][:1, :4, :4])
    with tf.GradientTape() as tape:
        value = loss(truth, logits)
    gradient = tape.gradient(value, logits)
    assert float(value[0]) == 0.0
    assert np.array_equal(gradient.numpy(), np.zeros_like(logits.numpy()))


def test_distillation_is_the_divergence_from_the_teacher() -> None:
    teacher, student = random_case(1)[1], random_case(2)[1]
    expected = np.exp(log_probabilities(teacher)) * (log_probabilities(teacher) - log_probabilities(student))
    assert distillation(teacher, student).numpy() == pytest.approx(expected.sum(-1).mean((1, 2)), rel=1e-4)
    assert distillation(teacher, teacher).numpy() == pytest.approx([0.0, 0.0], abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "ratio"), [([100, 100], 1.0), ([900, 100], 3.0), ([9900, 100], 9.9498744), ([100, 0], 0.0)]
)
def test_rare_classes_weigh_more(counts: list[int], ratio: float) -> None:
    weights = np.array(weights_of_counts(counts))
    assert weights[1] / weights[0] == pytest.approx(ratio)
    assert (weights * counts).sum() / sum(counts) == pytest.approx(1.0)
