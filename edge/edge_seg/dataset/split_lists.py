"""The split lists of an existing data set: reading given ones, and replacing them all at once."""

import shutil
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edge_seg.dataset.folder import SPLITS, Dataset, Sample
from edge_seg.dataset.manifest import SplitPolicy, write_manifest
from edge_seg.errors import DatasetError
from edge_seg.images import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Pictures:
    """What lies in images/: the pictures with a mask, by name, and the names of those without."""

    samples: tuple[Sample, ...]
    without_mask: tuple[str, ...]


def pictures_of(dataset: Dataset) -> Pictures:
    """Find every picture of a data set, listed in a split or not.

    Raises:
        DatasetError: there is none with a mask.
    """
    folder = dataset.folder / "images"
    images = sorted(path for path in folder.glob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    samples = [Sample(path, dataset.folder / "masks" / path.with_suffix(".png").name) for path in images]
    annotated = tuple(sample for sample in samples if sample.mask_path.is_file())
    if not annotated:
        raise DatasetError(f"{folder}: holds no picture that has a mask; make a data set with  edge-seg data import")
    return Pictures(annotated, tuple(sample.name for sample in samples if not sample.mask_path.is_file()))


def given_split(names: Sequence[str], lists: Mapping[str, Path]) -> dict[str, list[str]]:
    """Divide `names` by lists, one name per line; without a list for training all others train.

    A line may be a file name, its stem, or a path that ends in one of them.

    Raises:
        DatasetError: a list that cannot be read or is empty, a name that is no picture or stands twice.
    """
    by_name = {name: name for name in names} | {Path(name).stem: name for name in names}
    homes: dict[str, str] = {}
    for split, path in lists.items():
        for line in _lines(path):
            name = by_name.get(PurePosixPath(line).name)
            if name is None:
                raise DatasetError(f"{path}: '{line}' is no picture of this data set; correct or remove that line")
            if name in homes:
                raise DatasetError(f"{path}: '{line}' is in {homes[name]} already; list it once")
            homes[name] = split
    rest = [] if "train" in lists else [name for name in names if name not in homes]
    listed = {split: sorted(name for name in homes if homes[name] == split) for split in SPLITS}
    parts = listed | {"train": sorted(listed["train"] + rest)}
    if not parts["train"]:
        raise DatasetError(f"{', '.join(map(str, lists.values()))}: leave no picture to train on; shorten a list")
    return {split: part for split, part in parts.items() if part}


def replace_splits(dataset: Dataset, splits: Mapping[str, Sequence[str]], policy: SplitPolicy) -> None:
    """Write new lists and the policy in place of the old ones.

    Whoever opens the data set meanwhile, or after the process was killed, finds the old splits, the new
    ones, or none, which is refused; never a mixture that would train on pictures of the old test.

    Raises:
        DatasetError: splits/ holds a list of another name, which might overlap with the new ones.
    """
    folder = dataset.folder / "splits"
    strange = sorted(path.name for path in folder.glob("*.txt") if path.stem not in SPLITS)
    if strange:
        raise DatasetError(f"{folder / strange[0]}: is none of {', '.join(SPLITS)}; move it elsewhere first")
    new, old = folder.with_name(".splits.part"), folder.with_name(".splits.old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        _write_lists(new, splits)
        with _set_aside(folder, old):
            write_manifest(dataset.folder, dataset.manifest.model_copy(update={"split": policy}))
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _set_aside(folder: Path, aside: Path) -> Generator[None]:
    """Move `folder` out of the way; an error brings it back."""
    was_there = folder.exists()
    if was_there:
        folder.rename(aside)
    try:
        yield
    except BaseException:
        if was_there:
            aside.rename(folder)
        raise


def _lines(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8") from None
    if not any(lines):
        raise DatasetError(f"{path}: names no picture; write one per line")
    return [line for line in lines if line]


def _write_lists(folder: Path, splits: Mapping[str, Sequence[str]]) -> None:
    folder.mkdir()
    for split, names in splits.items():
        (folder / f"{split}.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
