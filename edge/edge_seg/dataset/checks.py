"""Finding everything that is wrong with a data set folder, not just the first thing."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset.folder import SPLITS, Dataset, Sample, check_pair
from edge_seg.errors import DatasetError, ImageError
from edge_seg.images import IMAGE_SUFFIXES, read_image, read_mask
from edge_seg.progress import Track, untracked


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (`error`) or may be meant (`warning`), as a sentence with its cure."""

    severity: Literal["error", "warning"]
    sentence: str


@dataclass(frozen=True)
class SplitSummary:
    """What one split holds.

    Attributes:
        pictures: names in the split list.
        pixel_shares: class name to its share of the pixels that are not ignored, 0 to 1.
        ignored_share: share of all pixels that are ignored, 0 to 1.
    """

    pictures: int
    pixel_shares: Mapping[str, float]
    ignored_share: float


@dataclass(frozen=True)
class CheckReport:
    """Everything a check found, errors first."""

    findings: tuple[Finding, ...]
    splits: Mapping[str, SplitSummary]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the data set from being used."""
        return tuple(item for item in self.findings if item.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that may be meant."""
        return tuple(item for item in self.findings if item.severity == "warning")


@dataclass(frozen=True)
class _Inspected:
    """What decoding one sample told: pixels per id [256], the file's digest, sentences on what is wrong."""

    counts: NDArray[np.int64]
    digest: bytes
    problems: tuple[str, ...]


def check_dataset(dataset: Dataset, *, track: Track = untracked) -> CheckReport:
    """Decode every sample of every split and collect all that is wrong.

    Errors: no split, an empty one, a name listed twice or in two splits, a missing or undecodable
    file, sizes that differ, an id that is no class. Warnings: a class absent from a split, pictures
    in no split, the same picture under two names in two splits.
    """
    names = {split: _listed(dataset, split) for split in _split_names(dataset)}
    samples, errors = _files(dataset, names)
    inspected = _inspect_all(dataset, samples, track)
    errors += _list_errors(dataset, names)
    errors += [sentence for result in inspected.values() for sentence in result.problems]
    counts = {split: _summed(inspected[name].counts for name in _known(names[split], inspected)) for split in names}
    warnings = [
        *_absent_classes(dataset, counts),
        *_unlisted(dataset, names),
        *_same_pictures(names, inspected),
    ]
    findings = [Finding("error", text) for text in errors] + [Finding("warning", text) for text in warnings]
    summaries = {split: _summary(dataset, len(names[split]), counts[split]) for split in names}
    return CheckReport(tuple(findings), summaries)


def _split_names(dataset: Dataset) -> list[str]:
    present = {path.stem for path in (dataset.folder / "splits").glob("*.txt")}
    return [name for name in SPLITS if name in present] + sorted(present - set(SPLITS))


def _listed(dataset: Dataset, split: str) -> list[str]:
    text = (dataset.folder / "splits" / f"{split}.txt").read_text(encoding="utf-8", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _files(dataset: Dataset, names: Mapping[str, Sequence[str]]) -> tuple[dict[str, Sample], list[str]]:
    """Return the samples whose files are there, and a sentence for every absent file."""
    samples: dict[str, Sample] = {}
    errors: list[str] = []
    for name in dict.fromkeys(name for listed in names.values() for name in listed):
        if Path(name).name != name:
            errors.append(f"splits: '{name}' is a path; write the file name alone")
            continue
        mask = Path(name).with_suffix(".png").name
        sample = Sample(dataset.folder / "images" / name, dataset.folder / "masks" / mask)
        absent = [path for path in (sample.image_path, sample.mask_path) if not path.is_file()]
        errors += [f"{path}: absent, though a split names '{name}'; add it or drop the line" for path in absent]
        if not absent:
            samples[name] = sample
    return samples, errors


def _inspect_all(dataset: Dataset, samples: Mapping[str, Sample], track: Track) -> dict[str, _Inspected]:
    # Decoders release the interpreter lock, and only counts are kept, so memory stays small.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(partial(_inspect, dataset), samples.values())
        return dict(zip(samples, track(results, total=len(samples)), strict=True))


def _inspect(dataset: Dataset, sample: Sample) -> _Inspected:
    problems: list[str] = []
    image = mask = None
    try:
        image = read_image(sample.image_path)
    except ImageError as error:
        problems.append(str(error))
    try:
        mask = read_mask(sample.mask_path)
        if image is not None:
            check_pair(image, mask, sample.mask_path, len(dataset.classes), dataset.ignore_id)
    except (ImageError, DatasetError) as error:
        problems.append(str(error))
    counts = np.zeros(256, np.int64) if mask is None else np.bincount(mask.ravel(), minlength=256)
    digest = hashlib.blake2b(sample.image_path.read_bytes(), digest_size=16).digest()
    return _Inspected(counts, digest, tuple(problems))


def _list_errors(dataset: Dataset, names: Mapping[str, Sequence[str]]) -> list[str]:
    folder = dataset.folder / "splits"
    errors = (
        [f"{folder / 'train.txt'}: no such split; list the training pictures in it"] if "train" not in names else []
    )
    errors += [f"{folder / split}.txt: names no image; write one per line" for split in names if not names[split]]
    for split, listed in names.items():
        repeated = [name for name, count in Counter(listed).items() if count > 1]
        errors += [f"{folder / split}.txt: names '{name}' more than once; keep one line" for name in repeated]
    homes: dict[str, list[str]] = {}
    for split, listed in names.items():
        for name in dict.fromkeys(listed):
            homes.setdefault(name, []).append(split)
    return errors + [
        f"{dataset.folder / 'images' / name}: is in {' and '.join(splits)}; keep it in one of them"
        for name, splits in homes.items()
        if len(splits) > 1
    ]


def _absent_classes(dataset: Dataset, counts: Mapping[str, NDArray[np.int64]]) -> Iterator[str]:
    for split, pixels in counts.items():
        for item in dataset.classes:
            if pixels.any() and not pixels[item.id]:
                yield f"split {split}: no pixel of the class '{item.name}'; add pictures of it or split anew"


def _unlisted(dataset: Dataset, names: Mapping[str, Sequence[str]]) -> Iterator[str]:
    listed = {name for split in names.values() for name in split}
    folder = dataset.folder / "images"
    files = sorted(path.name for path in folder.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    alone = [name for name in files if name not in listed]
    if alone:
        yield f"{folder}: {len(alone)} pictures are in no split, first '{alone[0]}'; list or remove them"


def _same_pictures(names: Mapping[str, Sequence[str]], inspected: Mapping[str, _Inspected]) -> Iterator[str]:
    seen: dict[bytes, tuple[str, str]] = {}
    for split, listed in names.items():
        for name in _known(listed, inspected):
            other, home = seen.setdefault(inspected[name].digest, (name, split))
            if home != split and other != name:
                yield f"split {split}: '{name}' is the same file as '{other}' in {home}; keep one of them"


def _known(listed: Iterable[str], inspected: Mapping[str, _Inspected]) -> list[str]:
    return [name for name in dict.fromkeys(listed) if name in inspected]


def _summed(counts: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    total = np.zeros(256, np.int64)
    for item in counts:
        total += item
    return total


def _summary(dataset: Dataset, pictures: int, counts: NDArray[np.int64]) -> SplitSummary:
    of_class = [int(counts[item.id]) for item in dataset.classes]
    labelled, everything = max(1, sum(of_class)), max(1, int(counts.sum()))
    shares = {item.name: pixels / labelled for item, pixels in zip(dataset.classes, of_class, strict=True)}
    return SplitSummary(pictures, shares, int(counts[dataset.ignore_id]) / everything)
