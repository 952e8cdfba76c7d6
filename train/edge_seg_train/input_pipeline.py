"""The tf.data pipeline: decode in parallel, cache, shuffle, augment, batch, repeat, prefetch."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from edge_seg.dataset import Dataset, Sample
from edge_seg.resampling import shrink_image, shrink_mask
from edge_seg.run_folder import RunConfig
from edge_seg_train.augmentation import augment

# Samples are kept a little larger than the network, so that zooming in shows detail.
STORED_SCALE = 1.25
CACHE_SHARE_OF_MEMORY = 0.25


def training_batches(dataset: Dataset, config: RunConfig) -> tf.data.Dataset:
    """Make the endless stream of training batches: uint8 images [n, h, w, 3] and uint8 masks [n, h, w]."""
    samples = dataset.samples("train")
    scale = STORED_SCALE if config.augment else 1.0
    height, width = round(config.height * scale), round(config.width * scale)
    stream = _decoded(dataset, samples, height, width)
    if len(samples) * height * width * 4 < CACHE_SHARE_OF_MEMORY * _memory_bytes():
        stream = stream.cache()
    stream = stream.shuffle(min(len(samples), 1000), seed=config.seed).repeat()
    if config.augment:
        stream = _augmented(stream, config, dataset.ignore_id)
    return stream.batch(config.batch_size).prefetch(tf.data.AUTOTUNE)


def _decoded(dataset: Dataset, samples: Sequence[Sample], height: int, width: int) -> tf.data.Dataset:
    def read(image_path: bytes, mask_path: bytes) -> tuple[np.ndarray, np.ndarray]:
        image, mask = dataset.read(Sample(Path(os.fsdecode(image_path)), Path(os.fsdecode(mask_path))))
        return shrink_image(image, height, width), shrink_mask(mask, height, width)

    def load(image_path: Any, mask_path: Any) -> tuple[Any, Any]:
        image, mask = tf.numpy_function(read, [image_path, mask_path], [tf.uint8, tf.uint8], stateful=False)
        return tf.ensure_shape(image, (height, width, 3)), tf.ensure_shape(mask, (height, width))

    paths = [str(sample.image_path) for sample in samples], [str(sample.mask_path) for sample in samples]
    return tf.data.Dataset.from_tensor_slices(paths).map(load, num_parallel_calls=tf.data.AUTOTUNE)


def _augmented(stream: tf.data.Dataset, config: RunConfig, ignore_id: int) -> tf.data.Dataset:
    seeds = tf.data.Dataset.random(seed=config.seed).batch(2)

    def vary(sample: tuple[Any, Any], seed: Any) -> tuple[Any, Any]:
        return augment(*sample, seed, config.height, config.width, ignore_id)

    return tf.data.Dataset.zip((stream, seeds)).map(vary, num_parallel_calls=tf.data.AUTOTUNE)


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
