"""Dividing an existing data set: looks at its pictures, decides, and says what is worth knowing about the result."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset.folder import Dataset, Sample
from edge_seg.dataset.manifest import SplitPolicy
from edge_seg.dataset.near_duplicates import Fingerprint, fingerprint_file, groups, similar_pairs
from edge_seg.dataset.split_lists import Pictures, given_split, pictures_of
from edge_seg.dataset.splitting import classes_in_mask, grouped_split, same_key_pairs, wanted_counts
from edge_seg.errors import DatasetError
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked


@dataclass(frozen=True)
class Part:
    """What one split got.

    Attributes:
        pictures: how many.
        groups: how many groups, single pictures among them.
        pictures_per_class: class name to the number of pictures that hold it.
    """

    pictures: int
    groups: int
    pictures_per_class: Mapping[str, int]


@dataclass(frozen=True)
class Division:
    """A data set divided, not yet written.

    Attributes:
        policy: how, for dataset.toml.
        splits: the names in every split.
        parts: what every split got.
        groups: the names that were kept together, where there are several.
        remarks: sentences on what may not be as expected.
    """

    policy: SplitPolicy
    splits: Mapping[str, Sequence[str]]
    parts: Mapping[str, Part]
    groups: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...]


def divide_by_groups(
    dataset: Dataset,
    policy: SplitPolicy,
    *,
    similar: bool = True,
    pattern: re.Pattern[str] | None = None,
    track: Track = untracked,
) -> Division:
    """Divide by the policy's seed and shares, every class in equal shares, and groups whole.

    Args:
        dataset: all of its pictures that have a mask are divided.
        policy: seed and shares.
        similar: keep near-duplicates together.
        pattern: keep file names together that share what it matches, or its first group.
        track: shows progress.

    Raises:
        ImageError: a picture or a mask cannot be read.
        DatasetError: no picture, or a split that would stay empty as every group is too big for it.
    """
    pictures = pictures_of(dataset)
    names = [sample.name for sample in pictures.samples]
    presence, fingerprints = _looked_at(dataset, pictures.samples, similar=similar, track=track)
    pairs = [(pair.first, pair.second) for pair in similar_pairs(fingerprints, track=track)]
    together = groups(len(names), [*pairs, *(same_key_pairs(names, pattern) if pattern else ())])
    reasons = ["near-duplicates"] * similar + ([f"names that share {pattern.pattern}"] if pattern else [])
    policy = policy.model_copy(update={"policy": "stratified", "grouped_by": " and ".join(reasons)})
    splits = grouped_split(names, presence, together, policy)
    named = tuple(tuple(names[item] for item in group) for group in together)
    remarks = *_on_groups(named, policy), *_on_shares(splits, policy, len(names)), *_on_rest(dataset, pictures, splits)
    several = tuple(group for group in named if len(group) > 1)
    return Division(policy, splits, _parts(dataset, splits, names, presence, named), several, remarks)


def divide_by_lists(dataset: Dataset, lists: Mapping[str, Path], *, track: Track = untracked) -> Division:
    """Divide by lists of names; without one for training all other pictures train.

    Raises:
        ImageError: a mask cannot be read.
        DatasetError: a list that does not fit the data set.
    """
    pictures = pictures_of(dataset)
    names = [sample.name for sample in pictures.samples]
    splits = given_split(names, lists)
    presence, _ = _looked_at(dataset, pictures.samples, similar=False, track=track)
    total = sum(map(len, splits.values()))
    val, test = (round(len(splits.get(split, ())) / total, 4) for split in ("val", "test"))
    parts = _parts(dataset, splits, names, presence, [(name,) for name in names])
    remarks = tuple(_on_rest(dataset, pictures, splits))
    return Division(SplitPolicy(policy="given lists", val=val, test=test), splits, parts, (), remarks)


def _looked_at(
    dataset: Dataset, samples: Sequence[Sample], *, similar: bool, track: Track
) -> tuple[NDArray[np.bool_], list[Fingerprint]]:
    """Return which picture holds which class, [pictures, classes], and the fingerprints, where they are wanted."""
    look = partial(_presence_and_fingerprint if similar else _presence, class_count=len(dataset.classes))
    looked = list(track(map_in_processes(look, samples), total=len(samples)))
    presence = np.array([item for item, _ in looked])
    return presence, [fingerprint for _, fingerprint in looked if fingerprint is not None]


def _presence(sample: Sample, class_count: int) -> tuple[NDArray[np.bool_], Fingerprint | None]:
    return classes_in_mask(sample.mask_path, class_count), None


def _presence_and_fingerprint(sample: Sample, class_count: int) -> tuple[NDArray[np.bool_], Fingerprint | None]:
    return classes_in_mask(sample.mask_path, class_count), fingerprint_file(sample.image_path)


def _parts(
    dataset: Dataset,
    splits: Mapping[str, Sequence[str]],
    names: Sequence[str],
    presence: NDArray[np.bool_],
    groups: Sequence[Sequence[str]],
) -> dict[str, Part]:
    rows = {name: row for row, name in enumerate(names)}
    heads = {group[0] for group in groups}
    parts: dict[str, Part] = {}
    for split, listed in splits.items():
        counts = presence[[rows[name] for name in listed]].sum(axis=0)
        held = {item.name: int(counts[item.id]) for item in dataset.classes}
        parts[split] = Part(len(listed), sum(name in heads for name in listed), held)
    return parts


def _on_groups(groups: Sequence[Sequence[str]], policy: SplitPolicy) -> Iterator[str]:
    several = [group for group in groups if len(group) > 1]
    if not policy.grouped_by:
        yield "pictures were divided one by one: near-duplicates may be in two splits"
    elif not several:
        yield f"no {policy.grouped_by} were found"
    else:
        largest = max(several, key=len)
        yield (
            f"{len(several)} {'group' if len(several) == 1 else 'groups'} of {policy.grouped_by} "
            f"({sum(map(len, several))} pictures) kept together; "
            f"the largest holds {len(largest)}, among them '{largest[0]}'"
        )


def _on_shares(splits: Mapping[str, Sequence[str]], policy: SplitPolicy, count: int) -> Iterator[str]:
    for split, wanted in wanted_counts(count, policy).items():
        found = len(splits.get(split, ()))
        if not found:
            raise DatasetError(
                f"no group of pictures is small enough for the {wanted} of the split '{split}'; "
                "ask for a larger share, or look at the groups with  --dry-run --json --val 0"
            )
        if found != wanted:
            yield f"{split} has {found} pictures in place of {wanted}, as groups stay whole"


def _on_rest(dataset: Dataset, pictures: Pictures, splits: Mapping[str, Sequence[str]]) -> Iterator[str]:
    listed = {name for part in splits.values() for name in part}
    alone = [sample.name for sample in pictures.samples if sample.name not in listed]
    if alone:
        yield f"{_pictures(alone, 'is', 'are')} in no list and so in no split, first '{alone[0]}'"
    if maskless := pictures.without_mask:
        yield f"{_pictures(maskless, 'has', 'have')} no mask and so no split, first '{maskless[0]}'"
    if dataset.has_split("test") and "test" not in splits:
        yield "there is no test split any more: its pictures went to the others; --test keeps a share"


def _pictures(names: Sequence[str], singular: str, plural: str) -> str:
    return f"1 picture {singular}" if len(names) == 1 else f"{len(names)} pictures {plural}"
