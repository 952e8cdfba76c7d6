"""The tf.data pipeline: which sample comes when is decided by seed and epoch alone.

A run that is resumed, or divided over devices and machines, sees the same samples with the same augmentation as one
that was not: every sample carries its own seed, and each device takes its part of every batch.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from edge_seg.errors import EdgeSegError
from edge_seg.images import ClassMap, RgbImage
from edge_seg.run_config import RunConfig
from edge_seg_train.augmentation import augment
from edge_seg_train.sample_store import SampleStore

# Samples are kept a little larger than the network, so that zooming in shows detail.
STORED_SCALE = 1.25


def stored_size(config: RunConfig, network_size: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) that samples are kept in for a network of `network_size`."""
    scale = STORED_SCALE if config.augment else 1.0
    height, width = network_size
    return round(height * scale), round(width * scale)


def steps_per_epoch(sample_count: int, batch_size: int) -> int:
    """Count the batches that show every sample at least once."""
    return -(-sample_count // batch_size)


class TrainingStream:
    """The batches of a run from one of its epochs on."""

    def __init__(self, store: SampleStore, config: RunConfig, size: tuple[int, int], ignore_id: int) -> None:
        """Stream `store` augmented, at `size` (height, width)."""
        self._store, self._config, self._size, self._ignore_id = store, config, size, ignore_id
        self.fault: EdgeSegError | OSError | None = None
        """What kept a sample from being read; TensorFlow itself tells of it in a traceback."""

    def __len__(self) -> int:
        return len(self._store)

    def read(self, index: int) -> tuple[RgbImage, ClassMap]:
        """Return image [h, w, 3] uint8 and mask [h, w] uint8 of one sample, as they are stored."""
        return self._store.read(index)

    def batches(self, first_epoch: int, context: tf.distribute.InputContext | None = None) -> tf.data.Dataset:
        """Return uint8 images [n, h, w, 3] and uint8 masks [n, h, w], n pictures for each device in turn.

        Args:
            first_epoch: counted from 0.
            context: which part of every batch this process computes; None for all of it.
        """
        part: Any = context or tf.distribute.InputContext()
        numbered = sample_numbers(len(self._store), self._config, first_epoch)
        mine = _part(numbered.batch(self._config.batch_size, drop_remainder=True), part).unbatch()
        # AutoGraph has nothing to convert here, and takes a second for it.
        load = tf.autograph.experimental.do_not_convert(self._load)
        samples = mine.map(load, num_parallel_calls=tf.data.AUTOTUNE)
        return samples.batch(self._config.batch_size // part.num_replicas_in_sync, drop_remainder=True).prefetch(
            tf.data.AUTOTUNE
        )

    def _load(self, index: Any, seed: Any) -> tuple[Any, Any]:
        image, mask = tf.numpy_function(self._read, [index], [tf.uint8, tf.uint8], stateful=False)
        image, mask = tf.ensure_shape(image, (None, None, 3)), tf.ensure_shape(mask, (None, None))
        height, width = self._size
        if self._config.augment:
            return augment(image, mask, seed, height, width, self._ignore_id)
        return tf.ensure_shape(image, (height, width, 3)), tf.ensure_shape(mask, (height, width))

    def _read(self, index: np.int64) -> tuple[np.ndarray, np.ndarray]:
        try:
            return self._store.read(int(index))
        except (EdgeSegError, OSError) as error:
            self.fault = error
            raise


def sample_numbers(count: int, config: RunConfig, first_epoch: int) -> tf.data.Dataset:
    """Return (index of the sample [] int64, its seed [2] int64): whole batches, shuffled anew in every epoch."""
    total = steps_per_epoch(count, config.batch_size) * config.batch_size

    def epoch_of(epoch: Any) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(  # pyright: ignore[reportAttributeAccessIssue]
            tf.range(count, dtype=tf.int64), tf.stack([config.seed, epoch])
        )
        # The last batch is filled up from the front; a batch is never larger than the data set.
        indices = tf.tile(order, [2])[:total]
        places = epoch * total + tf.range(total, dtype=tf.int64)
        seeds = tf.stack([tf.fill([total], tf.constant(config.seed, tf.int64)), places], axis=1)
        return tf.data.Dataset.from_tensor_slices((indices, seeds))

    return tf.data.Dataset.range(first_epoch, config.epochs).flat_map(epoch_of)


def _part(batches: tf.data.Dataset, context: tf.distribute.InputContext) -> tf.data.Dataset:
    """Keep this process' share of every batch."""
    count, own = context.num_input_pipelines, context.input_pipeline_id
    if count == 1:
        return batches
    return batches.map(lambda indices, seeds: (tf.split(indices, count)[own], tf.split(seeds, count)[own]))
