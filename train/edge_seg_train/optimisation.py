"""What changes the weights: learning rates over the run, the optimisers, the scale of a float16 loss."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from edge_seg.run_config import RunConfig

WARM_UP_SHARE = 0.05
FINAL_RATE_SHARE = 0.1  # the average of the weights gains from steps that still move them
GRADIENT_CLIP_NORM = 1.0

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7  # Keras' own
_INITIAL_LOSS_SCALE = 2.0**15  # Micikevicius et al. 2018, and Keras' own LossScaleOptimizer
_STEPS_TO_GROW = 2000


class AdamW:
    """AdamW (Loshchilov & Hutter 2019), its rate warmed up and then decayed by a cosine.

    Only convolution kernels are decayed: scales and offsets have one dimension. The same steps as Keras' AdamW with
    one operation for a variable in place of thirty: its graph is traced in half the time. Every replica updates its
    own copy of the variables, with gradients that are the same for all.
    """

    def __init__(self, variables: Sequence[Any], config: RunConfig, highest_rate: float, steps: int) -> None:
        """Make it for `variables` (tf.Variable); the rate ends after `steps`."""
        self._updated = list(variables)
        self._decayed = [each for each in self._updated if len(each.shape) > 1]
        self._weight_decay = config.weight_decay
        self._schedule = _schedule(highest_rate, steps)
        self._steps = tf.Variable(tf.constant(0, tf.int64), trainable=False)
        self._means, self._squares = (
            [tf.Variable(tf.zeros(each.shape), trainable=False) for each in self._updated] for _ in range(2)
        )

    @property
    def learning_rate(self) -> Any:
        """The rate of the next step; scalar float32."""
        return self._schedule(self._steps)

    @property
    def variables(self) -> list[Any]:
        """What a resume needs."""
        return [self._steps, *self._means, *self._squares]

    def apply(self, gradients: Sequence[Any], applies: Any = None) -> None:
        """Do one step, unless `applies` (scalar bool) is false; called inside the replicas."""
        if applies is None:
            self._step(gradients)
        else:
            tf.cond(applies, lambda: self._step(gradients), lambda: None)

    def _step(self, gradients: Sequence[Any]) -> None:
        rate = self.learning_rate
        _add_in_place(self._steps, tf.constant(1, tf.int64))
        decay = -rate * self._weight_decay
        for variable in self._decayed if self._weight_decay else ():
            _add_in_place(variable, decay * variable)
        steps = tf.cast(self._steps, tf.float32)
        moments = {
            "beta1": tf.constant(_BETA_1),
            "beta2": tf.constant(_BETA_2),
            "beta1_power": tf.pow(_BETA_1, steps),
            "beta2_power": tf.pow(_BETA_2, steps),
            "epsilon": tf.constant(_EPSILON),
        }
        for variable, mean, square, gradient in zip(self._updated, self._means, self._squares, gradients, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=mean.handle, v=square.handle, lr=rate, grad=gradient, **moments
            )


def _schedule(highest_rate: float, steps: int) -> Any:
    warm_up = max(1, round(steps * WARM_UP_SHARE))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=highest_rate * FINAL_RATE_SHARE,
        decay_steps=max(1, steps - warm_up),
        alpha=FINAL_RATE_SHARE,
        warmup_target=highest_rate,
        warmup_steps=warm_up,
    )


def _add_in_place(variable: Any, value: Any) -> None:
    """Add to this replica's copy alone; `assign_add` would have the replicas wait for each other."""
    tf.raw_ops.AssignAddVariableOp(resource=variable.handle, value=value)


class LossScale:
    """The factor that keeps float16 gradients from vanishing: halved when they overflow, doubled after a while.

    Keras' LossScaleOptimizer does the same for one device and fails inside tf.distribute.
    """

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled
        self.variables = [
            tf.Variable(tf.constant(_INITIAL_LOSS_SCALE if enabled else 1.0), trainable=False),
            tf.Variable(tf.constant(0, tf.int64), trainable=False),
        ]

    @property
    def factor(self) -> Any:
        """What the loss is multiplied by; scalar float32."""
        return self.variables[0]

    def unscaled(self, gradients: Sequence[Any]) -> list[Any]:
        """Divide the gradients by the factor."""
        return [gradient / self.factor for gradient in gradients] if self._enabled else list(gradients)

    def update(self, gradients_fit: Any) -> None:
        """Adapt the factor after a step, with what `fit` said; called inside the replicas."""
        if gradients_fit is None:
            return
        factor, good_steps = (tf.identity(each) for each in self.variables)
        grows = tf.logical_and(gradients_fit, good_steps + 1 >= _STEPS_TO_GROW)
        changed = tf.where(gradients_fit, tf.where(grows, factor * 2.0, factor), tf.maximum(factor / 2.0, 1.0))
        counted = tf.where(tf.logical_and(gradients_fit, tf.logical_not(grows)), good_steps + 1, 0)
        _add_in_place(self.variables[0], changed - factor)
        _add_in_place(self.variables[1], counted - good_steps)

    def fit(self, gradients: Sequence[Any]) -> Any:
        """True when no gradient overflowed, scalar bool; None when there is no scale."""
        if not self._enabled:
            return None
        return tf.reduce_all([tf.reduce_all(tf.math.is_finite(gradient)) for gradient in gradients])


class WeightAverage:
    """Exponential moving average of the weights (Polyak & Juditsky 1992); short at first, as TensorFlow's own is."""

    def __init__(self, weights: Sequence[Any], momentum: float) -> None:
        self._weights, self._momentum = weights, momentum
        self._count = tf.Variable(tf.constant(0, tf.int64), trainable=False)
        self._averages = [tf.Variable(weight, trainable=False) for weight in weights]

    @property
    def variables(self) -> list[Any]:
        """What a resume needs."""
        return [self._count, *self._averages]

    def reset(self) -> None:
        """Start from the weights as they are now."""
        for average, weight in zip(self._averages, self._weights, strict=True):
            average.assign(weight)

    def update(self) -> None:
        """Move towards the weights as they are now; called inside the replicas."""
        _add_in_place(self._count, tf.constant(1, tf.int64))
        steps = tf.cast(self._count, tf.float32)
        share = 1.0 - tf.minimum(self._momentum, (1.0 + steps) / (10.0 + steps))
        for average, weight in zip(self._averages, self._weights, strict=True):
            _add_in_place(average, (weight - average) * share)

    def values(self) -> list[Any]:
        """Return the averages as arrays, in the order of the weights."""
        return [average.numpy() for average in self._averages]
