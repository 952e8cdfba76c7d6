"""Repairing a copy of a data set: only what can have one meaning, and never the original.

- A picture whose name lies about its format gets the right suffix, in the split lists too.
- A mask of another mode or in another lossless format becomes a PNG of ids if its values say which:
  grey values that are ids, or colours that are those of dataset.toml.
- A mask drawn on a picture as it is stored, which is shown turned, is turned with it.
- A mask smaller or larger than its picture by one factor is scaled, to the nearest pixel.

Everything else stays as it is, for the next check to find.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge_seg.dataset.checks.listing import list_samples, sample_called
from edge_seg.dataset.folder import Dataset, Sample
from edge_seg.dataset.image_header import promised_format, told_format
from edge_seg.dataset.manifest import FILE_NAME
from edge_seg.dataset.mask_repair import Ids, repair_mask
from edge_seg.errors import DatasetError
from edge_seg.files import make_folder, remove_empty
from edge_seg.images import write_mask
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}


@dataclass(frozen=True)
class Repair:
    """One thing that was repaired in the copy: the picture's name there, and what was done, as a sentence."""

    picture: str
    sentence: str


def repair_dataset(dataset: Dataset, out: Path, *, track: Track = untracked) -> tuple[Repair, ...]:
    """Copy a data set to the new folder `out` and repair the copy; return what was repaired.

    Links are followed, so that the copy stands alone. Files that no split names are copied as they are.

    Raises:
        DatasetError: `out` exists and is not empty, or lies inside the data set.
    """
    _check_is_new(dataset.folder, out)
    made = make_folder(out.parent)
    temporary = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        _copy(dataset.folder, temporary)
        repairs = tuple(_repair_in_place(Dataset(temporary, dataset.manifest), track))
        if out.exists():
            out.rmdir()
        temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        remove_empty(made)
    return repairs


def _check_is_new(folder: Path, out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out}: exists already; name another folder or remove it first")
    if out.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(f"{out}: lies inside the data set that it is to be a copy of; name a folder beside it")


def _copy(source: Path, target: Path) -> None:
    """Copy what a data set consists of; what is no file is left out, for the check to miss."""
    for part in ("images", "masks", "splits"):
        (target / part).mkdir(parents=True)
        for path in (source / part).iterdir() if (source / part).is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                shutil.copyfile(path, target / part / path.name)
    shutil.copyfile(source / FILE_NAME, target / FILE_NAME)


def _repair_in_place(dataset: Dataset, track: Track) -> Iterator[Repair]:
    listing = list_samples(dataset.folder)
    renamed = dict(_rename_pictures(list(listing.samples.values())))
    _rename_in_lists(dataset.folder, renamed)
    for old, new in renamed.items():
        yield Repair(new, f"images/{old}: renamed to {new}, after what it holds")
    samples = [sample_called(dataset.folder, renamed.get(name, name)) for name in listing.samples]
    results = map_in_processes(partial(_repair_mask, dataset), samples)
    for sample, done in zip(samples, track(results, total=len(samples)), strict=True):
        if done:
            yield Repair(sample.name, f"masks/{sample.mask_path.name}: {', '.join(done)}")


def _rename_pictures(samples: Sequence[Sample]) -> Iterator[tuple[str, str]]:
    for path in (sample.image_path for sample in samples):
        told, promised = told_format(path), promised_format(path)
        if told is None or promised is None or told == promised:
            continue
        target = path.with_suffix(_SUFFIXES[told])
        if not target.exists():
            path.rename(target)
            yield path.name, target.name


def _rename_in_lists(folder: Path, renamed: Mapping[str, str]) -> None:
    # Bytes, as a list in a foreign encoding is not to be changed by this.
    lines = {old.encode(): new.encode() for old, new in renamed.items()}
    for path in (folder / "splits").glob("*.txt") if renamed else ():
        content = path.read_bytes()
        path.write_bytes(b"".join(lines.get(line.strip(), line) + b"\n" for line in content.splitlines()))


def _repair_mask(dataset: Dataset, sample: Sample) -> Sequence[str]:
    """Repair the mask of one sample in its file; return what was done."""
    repaired = repair_mask(sample, Ids(dataset.classes, dataset.ignore_id))
    if repaired is None:
        return ()
    write_mask(sample.mask_path, repaired.mask, [item.rgb for item in dataset.classes])
    return repaired.done
