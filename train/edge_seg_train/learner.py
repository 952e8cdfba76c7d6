"""The network with everything that changes while it learns, and the step that changes it."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from edge_seg.dataset import Dataset
from edge_seg.run_config import RunConfig
from edge_seg_train.class_balance import balanced_weights
from edge_seg_train.input_pipeline import TrainingStream
from edge_seg_train.losses import distillation, loss_of
from edge_seg_train.network import build_unet
from edge_seg_train.optimisation import GRADIENT_CLIP_NORM, AdamW, LossScale, WeightAverage
from edge_seg_train.teacher import load_teacher


class Learner:
    """One network under training on the devices of a strategy."""

    def __init__(
        self, config: RunConfig, dataset: Dataset, steps_per_epoch: int, strategy: tf.distribute.Strategy
    ) -> None:
        """Build network and optimisers in the scope of `strategy`.

        Raises:
            TrainingError: encoder weights that cannot be found, fetched or loaded; a teacher that does not fit.
        """
        class_count = len(dataset.classes)
        balanced = balanced_weights(dataset) if config.class_weights == "balanced" else None
        self.config = config
        self._strategy = strategy
        self._loss = loss_of(config, dataset.ignore_id, balanced)
        self._teacher = load_teacher(config.teacher, config, dataset.manifest) if config.teacher else None
        with strategy.scope():
            self.model = self._built(class_count)
            self._encoder, self._decoder = _divided(self.model)
            tuned_epochs = config.epochs - config.frozen_epochs
            rate = config.learning_rate
            self._decoder_optimizer = AdamW(self._decoder, config, rate, config.epochs * steps_per_epoch)
            self._encoder_optimizer = AdamW(
                self._encoder, config, rate * config.encoder_rate, tuned_epochs * steps_per_epoch
            )
            self._loss_scale = LossScale(config.mixed_precision)
            self._average = WeightAverage([each.value for each in self.model.weights], config.average)
        # Without AutoGraph, which would rewrite Keras' source for nothing, tracing takes two thirds of the time.
        self._decoder_step = tf.function(self._distributed_step(self._decoder_only), autograph=False)
        self._whole_step = tf.function(self._distributed_step(self._whole), autograph=False)
        self._kept = build_unet(config.model_copy(update={"encoder_weights": "none"}), class_count)

    def _built(self, class_count: int) -> keras.Model:
        keras.mixed_precision.set_global_policy("mixed_float16" if self.config.mixed_precision else "float32")
        try:
            several = self._strategy.num_replicas_in_sync > 1
            return build_unet(self.config, class_count, synchronised=several)
        finally:
            keras.mixed_precision.set_global_policy("float32")

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the pictures it learns from: the network's, or its teacher's."""
        return self._teacher.size if self._teacher else (self.config.height, self.config.width)

    @property
    def learning_rate(self) -> float:
        """The decoder's learning rate as it is now."""
        return float(self._decoder_optimizer.learning_rate)

    def begin(self) -> None:
        """Take the weights as they are now for what the average starts from."""
        self._average.reset()

    def distributed(self, stream: TrainingStream, first_epoch: int) -> Any:
        """Return the batches of `stream`, from an epoch counted from 0 on, divided over the devices."""
        return self._strategy.distribute_datasets_from_function(lambda part: stream.batches(first_epoch, part))

    @property
    def variables(self) -> list[Any]:
        """All state, in a fixed order."""
        optimizers = [*self._decoder_optimizer.variables, *self._encoder_optimizer.variables]
        network = [each.value for each in self.model.variables]
        return [*network, *optimizers, *self._loss_scale.variables, *self._average.variables]

    def averaged_model(self) -> keras.Model:
        """Return the network as it is validated and kept: float32, its weights averaged."""
        self._kept.set_weights(self._average.values())
        return self._kept

    def step_of(self, epoch: int) -> Any:
        """Return the function that learns from one batch in `epoch`, counted from 0; it gives the mean loss."""
        return self._decoder_step if epoch < self.config.frozen_epochs else self._whole_step

    def _decoder_only(self, images: Any, masks: Any) -> Any:
        loss, gradients, fit = self._gradients(images, masks, self._decoder)
        self._decoder_optimizer.apply(gradients, fit)
        self._average.update()
        return loss

    def _whole(self, images: Any, masks: Any) -> Any:
        loss, gradients, fit = self._gradients(images, masks, [*self._decoder, *self._encoder])
        self._decoder_optimizer.apply(gradients[: len(self._decoder)], fit)
        self._encoder_optimizer.apply(gradients[len(self._decoder) :], fit)
        self._average.update()
        return loss

    def _distributed_step(self, replica_step: Any) -> Any:
        def step(batch: tuple[Any, Any]) -> Any:
            losses = self._strategy.run(replica_step, args=batch)
            return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

        return step

    def _gradients(self, images: Any, masks: Any, variables: Sequence[Any]) -> tuple[Any, list[Any], Any]:
        """Return this replica's part of the loss, the whole batch's gradients, and whether they may be applied.

        The last two are the same for all replicas.
        """
        compute = self._scaled_gradients
        if self.config.jit:
            compute = tf.function(compute, jit_compile=True, autograph=False)
        loss, scaled = compute(images, masks, variables)
        summed = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, scaled)
        fit = self._loss_scale.fit(summed)
        clipped, _ = tf.clip_by_global_norm(self._loss_scale.unscaled(summed), GRADIENT_CLIP_NORM)
        self._loss_scale.update(fit)
        return loss, clipped, fit

    def _scaled_gradients(self, images: Any, masks: Any, variables: Sequence[Any]) -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(self._losses(images, masks)) / self.config.batch_size
            scaled = loss * self._loss_scale.factor
        return loss, tape.gradient(scaled, variables)

    def _losses(self, images: Any, masks: Any) -> Any:
        if self._teacher is None:
            return self._loss(masks, self.model(images, training=True))
        small_images, small_masks, expected = self._teacher.lesson(images, masks)
        logits = self.model(small_images, training=True)
        share = self.config.teacher_weight
        return (1.0 - share) * self._loss(small_masks, logits) + share * distillation(expected, logits)


def _divided(model: keras.Model) -> tuple[list[Any], list[Any]]:
    """Return the trainable tf.Variables of the encoder, and all others."""
    encoder = [each.value for each in model.get_layer("encoder").trainable_variables]
    known = {id(each) for each in encoder}
    return encoder, [each.value for each in model.trainable_variables if id(each.value) not in known]
