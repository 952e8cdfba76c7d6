"""The calibration set: distinct training pictures, through the training preprocessing."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from edge_seg.dataset import Dataset, Sample
from edge_seg.images import RgbImage
from edge_seg.resampling import shrink_image


def calibration_images(dataset: Dataset, count: int, height: int, width: int, seed: int = 0) -> list[RgbImage]:
    """Read `count` distinct training pictures (all, when there are fewer), [height, width, 3] uint8."""

    def read(sample: Sample) -> RgbImage:
        return shrink_image(dataset.read(sample)[0], height, width)

    with ThreadPoolExecutor() as pool:
        return list(pool.map(read, _chosen(dataset.samples("train"), count, seed)))


def _chosen(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    return random.Random(seed).sample(samples, min(count, len(samples)))
