"""The calibration set: distinct training pictures that cover classes and brightness, as training sees them."""

import hashlib
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset import Dataset, Sample
from edge_seg.images import RgbImage
from edge_seg.resampling import shrink_image

POOL_FACTOR = 3
"""This many times the pictures wanted are looked at; large data sets are not read whole."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A picture that may be calibrated on."""

    name: str
    image: RgbImage
    """[height, width, 3] uint8 at network size."""
    features: NDArray[np.float64]
    """[classes + 1]: area share of each class, mean brightness; each 0 to 1."""


def calibration_set(dataset: Dataset, count: int, height: int, width: int, seed: int = 0) -> list[Candidate]:
    """Choose `count` distinct training pictures; all, when there are fewer.

    The same data set and seed give the same pictures in the same order.
    """
    return spread_out(read_candidates(dataset, count * POOL_FACTOR, height, width, seed), count)


def read_candidates(dataset: Dataset, count: int, height: int, width: int, seed: int = 0) -> list[Candidate]:
    """Read up to `count` training pictures in random order, without copies."""
    samples = dataset.samples("train")
    pool = random.Random(seed).sample(samples, min(count, len(samples)))

    def read(sample: Sample) -> Candidate:
        image, mask = dataset.read(sample)
        shrunk = shrink_image(image, height, width)
        shares = [np.count_nonzero(mask == item.id) / mask.size for item in dataset.classes]
        return Candidate(sample.name, shrunk, np.array([*shares, shrunk.mean() / 255]))

    with ThreadPoolExecutor() as threads:
        return _distinct(list(threads.map(read, pool)))


def content_hash(candidates: Sequence[Candidate]) -> str:
    """Return the SHA-256 of the pictures' pixels, in order."""
    digest = hashlib.sha256()
    for item in candidates:
        digest.update(item.image.tobytes())
    return digest.hexdigest()


def spread_out(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """Take the candidate farthest from all taken so far, again and again, beginning with the first.

    This is greedy k-centre (Gonzalez 1985; as a choice of pictures: Sener and Savarese 2018, "Active Learning for
    Convolutional Neural Networks: A Core-Set Approach"): rare classes, dark and bright pictures come first.
    """
    if not candidates:
        return []
    features = np.stack([item.features for item in candidates])
    taken = [0]
    distance = np.linalg.norm(features - features[0], axis=1)
    while len(taken) < min(count, len(candidates)):
        distance[taken] = -1
        taken.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(features - features[taken[-1]], axis=1))
    return [candidates[index] for index in taken]


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out pictures whose pixels were there already: copies teach calibration nothing."""
    first = {item.image.tobytes(): item for item in reversed(candidates)}
    return [item for item in candidates if first[item.image.tobytes()] is item]
