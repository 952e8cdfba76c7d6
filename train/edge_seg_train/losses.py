"""Losses, one value per picture, so that a batch divided over devices sums to the same as a whole one.

Every loss takes truth [n, h, w] uint8 and logits [n, h, w, classes] float32 and gives [n] float32; pixels with the
ignore id count for nothing, and a picture of nothing but those has the loss 0.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import tensorflow as tf

from edge_seg.run_config import RunConfig

FOCAL_GAMMA = 2.0  # Lin et al. 2017, "Focal Loss for Dense Object Detection"
TVERSKY_FALSE_POSITIVES, TVERSKY_FALSE_NEGATIVES = 0.3, 0.7  # Salehi et al. 2017
_SMOOTHING_PIXELS = 1.0
# Sorting all pixels takes a third of a training step on a CPU; augmentation moves every pixel onto the grid in time.
_LOVASZ_PIXELS = 64 * 64


class PictureLoss(Protocol):
    """Truth [n, h, w] and logits [n, h, w, classes] to [n] float32."""

    def __call__(self, truth: Any, logits: Any) -> Any:
        """Compute the loss of every picture."""
        ...


def loss_of(config: RunConfig, ignore_id: int, class_weights: Sequence[float] | None) -> PictureLoss:
    """Return the loss that a configuration names.

    Args:
        config: of the run.
        ignore_id: the mask value that counts for nothing.
        class_weights: of the cross-entropy, one per class; None for equal ones.
    """
    weighted = partial(cross_entropy, ignore_id=ignore_id, class_weights=class_weights)
    parts: dict[str, tuple[PictureLoss, ...]] = {
        "cross-entropy": (weighted,),
        "focal": (partial(weighted, focal_gamma=FOCAL_GAMMA),),
        "dice": (weighted, partial(tversky, ignore_id=ignore_id, penalties=(0.5, 0.5))),
        "tversky": (
            weighted,
            partial(tversky, ignore_id=ignore_id, penalties=(TVERSKY_FALSE_POSITIVES, TVERSKY_FALSE_NEGATIVES)),
        ),
        "lovasz": (weighted, partial(lovasz_softmax, ignore_id=ignore_id)),
    }
    chosen = parts[config.loss]
    return lambda truth, logits: tf.add_n([part(truth, logits) for part in chosen])


def cross_entropy(
    truth: Any,
    logits: Any,
    ignore_id: int,
    class_weights: Sequence[float] | None = None,
    focal_gamma: float = 0.0,
) -> Any:
    """Mean cross-entropy in nats per counted pixel; `focal_gamma` above 0 plays down what is right already."""
    counted = truth != ignore_id
    labels = tf.where(counted, tf.cast(truth, tf.int32), 0)
    pixel = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    if focal_gamma:
        pixel *= tf.pow(1.0 - tf.exp(-pixel), focal_gamma)
    if class_weights is not None:
        pixel *= tf.gather(tf.constant(class_weights, tf.float32), labels)
    return _mean_of_counted(pixel, counted)


def tversky(truth: Any, logits: Any, ignore_id: int, penalties: tuple[float, float]) -> Any:
    """Soft Tversky loss over the classes of each picture; `penalties` (0.5, 0.5) make it the Dice loss.

    Args:
        truth: [n, h, w] uint8.
        logits: [n, h, w, classes].
        ignore_id: the mask value that counts for nothing.
        penalties: of false positives and of false negatives.
    """
    probabilities, members, present = _flat(truth, logits, ignore_id)
    hits = tf.reduce_sum(probabilities * members, axis=1)
    false_positives = tf.reduce_sum(probabilities, axis=1) - hits
    false_negatives = tf.reduce_sum(members, axis=1) - hits
    missed = penalties[0] * false_positives + penalties[1] * false_negatives
    index = (hits + _SMOOTHING_PIXELS) / (hits + missed + _SMOOTHING_PIXELS)
    return _mean_of_present(1.0 - index, present)


def lovasz_softmax(truth: Any, logits: Any, ignore_id: int) -> Any:
    """Lovász-Softmax loss of each picture over its classes: the convex surrogate of 1 − mIoU (Berman et al. 2018).

    Computed on every second, third, … row and column, so that 4,096 pixels are left, or up to four times as many.
    """
    stride = max(1, math.isqrt(truth.shape[1] * truth.shape[2] // _LOVASZ_PIXELS))
    grid = (slice(None), slice(stride // 2, None, stride), slice(stride // 2, None, stride))
    probabilities, members, present = _flat(truth[grid], logits[grid], ignore_id)
    members = tf.transpose(members, (0, 2, 1))
    errors = tf.abs(members - tf.transpose(probabilities, (0, 2, 1)))
    descending, order = tf.math.top_k(errors, k=tf.shape(errors)[-1])
    sorted_members = tf.gather(members, order, batch_dims=2)
    total = tf.reduce_sum(sorted_members, axis=-1, keepdims=True)
    intersection = total - tf.cumsum(sorted_members, axis=-1)
    union = total + tf.cumsum(1.0 - sorted_members, axis=-1)
    jaccard = 1.0 - intersection / union
    steps = tf.concat([jaccard[..., :1], jaccard[..., 1:] - jaccard[..., :-1]], axis=-1)
    return _mean_of_present(tf.reduce_sum(descending * tf.stop_gradient(steps), axis=-1), present)


def distillation(teacher_logits: Any, logits: Any) -> Any:
    """Mean divergence KL(teacher ‖ student) of each picture, in nats per pixel (Hinton et al. 2015, temperature 1)."""
    expected = tf.nn.softmax(teacher_logits)
    divergence = expected * (tf.nn.log_softmax(teacher_logits) - tf.nn.log_softmax(logits))
    return tf.reduce_mean(tf.reduce_sum(divergence, axis=-1), axis=(1, 2))


def _flat(truth: Any, logits: Any, ignore_id: int) -> tuple[Any, Any, Any]:
    """Return probabilities and memberships [n, pixels, classes], both 0 where ignored, and present [n, classes]."""
    class_count = logits.shape[-1]
    counted = tf.reshape(tf.cast(truth != ignore_id, tf.float32), (tf.shape(truth)[0], -1, 1))
    probabilities = tf.reshape(tf.nn.softmax(logits), (tf.shape(truth)[0], -1, class_count)) * counted
    labels = tf.reshape(tf.cast(truth, tf.int32), (tf.shape(truth)[0], -1))
    members = tf.one_hot(labels, class_count) * counted
    present = tf.cast(tf.reduce_sum(members, axis=1) > 0, tf.float32)
    return probabilities, members, present


def _mean_of_counted(pixel: Any, counted: Any) -> Any:
    weight = tf.cast(counted, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(pixel * weight, axis=(1, 2)), tf.reduce_sum(weight, axis=(1, 2)))


def _mean_of_present(values: Any, present: Any) -> Any:
    return tf.math.divide_no_nan(tf.reduce_sum(values * present, axis=1), tf.reduce_sum(present, axis=1))
