"""Dividing pictures into train, val and test so that no group is split and every class gets its share."""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset.manifest import SplitPolicy
from edge_seg.images import read_mask


def wanted_counts(count: int, policy: SplitPolicy) -> dict[str, int]:
    """Return how many of `count` pictures each split is to get, training first.

    A share above 0 gets at least one picture when there are enough; training always keeps one.
    """
    wanted: dict[str, int] = {}
    left = count
    for split, share in (("val", policy.val), ("test", policy.test)):
        pictures = min(max(1, round(count * share)), left - 1) if share else 0
        if pictures > 0:
            wanted[split] = pictures
            left -= pictures
    return {"train": left, **wanted}


def random_split(names: Sequence[str], policy: SplitPolicy) -> dict[str, list[str]]:
    """Divide `names` at random by the policy's seed and shares; every split is sorted."""
    shuffled = sorted(names)
    random.Random(policy.seed).shuffle(shuffled)
    wanted = wanted_counts(len(names), policy)
    parts: dict[str, list[str]] = {}
    for split in [*wanted][1:]:
        parts[split], shuffled = sorted(shuffled[: wanted[split]]), shuffled[wanted[split] :]
    return {"train": sorted(shuffled), **parts}


def grouped_split(
    names: Sequence[str], class_presence: NDArray[np.bool_], groups: Sequence[Sequence[int]], policy: SplitPolicy
) -> dict[str, list[str]]:
    """Divide pictures by the policy's seed and shares, keeping every group in one split.

    Iterative stratification (Sechidis, Tsoumakas & Vlahavas 2011), with groups in place of pictures: the
    rarest class is dealt out first. Each group goes to the split it helps most towards a fair share of
    all its classes (theirs looked at the rarest alone, which groups upset), or else to training.

    Args:
        names: file names; their order makes no difference.
        class_presence: [pictures, classes], which picture holds which class.
        groups: indices of the pictures that belong together; every picture is in one group.
        policy: seed and shares.

    Returns:
        The sorted names of every split that got any; training is always there.
    """
    wanted = wanted_counts(len(names), policy)
    units = _shuffled([sorted(group, key=lambda item: names[item]) for group in groups], names, policy.seed)
    held = np.array([class_presence[unit].sum(axis=0) for unit in units], np.int64).reshape(len(units), -1)
    sizes = np.array([len(unit) for unit in units], np.int64)
    homes = _stratified(held, sizes, np.array(list(wanted.values())))
    parts: dict[str, list[str]] = {split: [] for split in wanted}
    for unit, home in zip(units, homes, strict=True):
        parts[list(wanted)[home]] += [names[item] for item in unit]
    return {split: sorted(part) for split, part in parts.items() if part or split == "train"}


def same_key_pairs(names: Sequence[str], pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield pairs that connect the names with one key: what the pattern's first group matched, or the whole match.

    A name without a match belongs to no other.
    """
    firsts: dict[str, int] = {}
    for index, name in enumerate(names):
        match = pattern.search(name)
        key = match and (match[1] if pattern.groups else match[0])
        if key is not None:
            first = firsts.setdefault(key, index)
            if first != index:
                yield first, index


def classes_in_mask(mask_path: Path, class_count: int) -> NDArray[np.bool_]:
    """Return which classes a mask file holds, [classes].

    Raises:
        ImageError: it cannot be read.
    """
    return np.bincount(read_mask(mask_path).ravel(), minlength=256)[:class_count] > 0


def _shuffled(units: list[list[int]], names: Sequence[str], seed: int) -> list[list[int]]:
    """Shuffle by the seed alone; single pictures come last, as they fill what groups leave."""
    units = sorted(units, key=lambda unit: names[unit[0]])
    random.Random(seed).shuffle(units)
    return sorted(units, key=lambda unit: len(unit) == 1)


def _stratified(held: NDArray[np.int64], sizes: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Assign units to splits.

    Args:
        held: [units, classes], how many pictures of a unit hold a class.
        sizes: [units], pictures.
        wanted: [splits], pictures.

    Returns:
        [units], the index of each one's split.
    """
    held = np.column_stack([held, sizes])  # being a picture is the most frequent class of all
    shares = wanted[:, None] / max(1, wanted.sum())
    fair = np.maximum(shares * held.sum(axis=0), 1)  # one at least, so that rare classes go everywhere
    lacking = fair.copy()
    homes = np.full(len(held), -1)
    while (homes < 0).any():
        remaining = held[homes < 0].sum(axis=0)
        rarest = int(np.argmin(np.where(remaining > 0, remaining, np.inf)))
        for unit in np.flatnonzero((homes < 0) & (held[:, rarest] > 0)):
            homes[unit] = home = _neediest(lacking, fair, held[unit])
            lacking[home] -= held[unit]
    return homes


def _neediest(lacking: NDArray[np.float64], fair: NDArray[np.float64], held: NDArray[np.int64]) -> int:
    """Return the split with room for a unit whose squared lacks, each by its fair share, it lessens most."""
    relief = ((2 * lacking - held) * held / fair).sum(axis=1)
    roomy = np.flatnonzero(lacking[:, -1] >= held[-1])
    return int(roomy[np.argmax(relief[roomy])]) if len(roomy) else 0  # training
