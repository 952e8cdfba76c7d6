"""What the folder and its split lists say, before any picture is decoded."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from edge_seg.dataset.checks.findings import Finding, enumerated
from edge_seg.dataset.folder import SPLITS, Sample
from edge_seg.images import IMAGE_SUFFIXES

_LONGEST_NAME_BYTES = 255


@dataclass(frozen=True)
class Listing:
    """The split lists, as far as they make sense.

    Attributes:
        names: split to the picture names of its list, repetitions and all.
        samples: picture name to its files, for those whose files are there.
        findings: what is wrong with lists and files.
    """

    names: Mapping[str, Sequence[str]]
    samples: Mapping[str, Sample]
    findings: Sequence[Finding]

    def known(self, split: str) -> list[str]:
        """Names of a split whose files are there, each once."""
        return [name for name in dict.fromkeys(self.names[split]) if name in self.samples]

    def splits_of(self, name: str) -> Sequence[str]:
        """The splits that name a picture."""
        return self._homes.get(name, ())

    @cached_property
    def _homes(self) -> Mapping[str, Sequence[str]]:
        homes: dict[str, list[str]] = {}
        for split, names in self.names.items():
            for name in dict.fromkeys(names):
                homes.setdefault(name, []).append(split)
        return homes


def list_samples(folder: Path) -> Listing:
    """Read every split list of a data set folder and look its files up; nothing is raised for garbage."""
    findings: list[Finding] = []
    names = {split: _readable_names(folder, split, findings) for split in _split_names(folder)}
    samples: dict[str, Sample] = {}
    for name in dict.fromkeys(name for listed in names.values() for name in listed):
        sample = sample_called(folder, name)
        absent = [_absent(path, folder, name) for path in (sample.image_path, sample.mask_path) if not path.is_file()]
        findings += absent
        if not absent:
            samples[name] = sample
    findings += [*_list_findings(names), *_sharing(names), *_left_over(folder, names), *_links(folder, samples)]
    return Listing(names, samples, findings)


def sample_called(folder: Path, name: str) -> Sample:
    """Return where the picture `name` and its mask lie."""
    return Sample(folder / "images" / name, folder / "masks" / Path(name).with_suffix(".png").name)


def printable(name: str) -> str:
    """Return a name as any terminal can show it: what is no UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _split_names(folder: Path) -> list[str]:
    present = {path.stem for path in (folder / "splits").glob("*.txt")}
    return [name for name in SPLITS if name in present] + sorted(present - set(SPLITS))


def _readable_names(folder: Path, split: str, findings: list[Finding]) -> list[str]:
    """Return the names of one list; what is no name, and bytes that are no text, become findings."""
    try:
        content = (folder / "splits" / f"{split}.txt").read_bytes()
    except OSError as error:
        findings.append(
            Finding("unreadable-list", f"splits/{split}.txt: cannot be read ({error.strerror}); replace it")
        )
        return []
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        sentence = f"splits/{split}.txt: is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        findings.append(Finding("unreadable-list", sentence))
        lines = content.decode("utf-8", "replace").splitlines()
    names = [line.strip() for line in lines if line.strip()]
    for name in names:
        if not _is_name(name):
            sentence = f"splits/{split}.txt: {name[:80]!r} is a path or no name at all; write the file name alone"
            findings.append(Finding("not-a-name", sentence))
    return [name for name in names if _is_name(name)]


def _is_name(text: str) -> bool:
    if Path(text).name != text or not text.isprintable():
        return False
    return text not in (".", "..") and len(os.fsencode(text)) <= _LONGEST_NAME_BYTES - len(".png")


def _absent(path: Path, folder: Path, name: str) -> Finding:
    what = "is no file" if os.path.lexists(path) else "absent"
    place = printable(str(path.relative_to(folder)))
    return Finding("absent-file", f"{place}: {what}, though a split names '{name}'; add it or drop the line", (name,))


def _list_findings(names: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    if "train" not in names:
        yield Finding("no-split", "splits/train.txt: no such split; list the training pictures in it")
    homes: dict[str, list[str]] = {}
    for split, listed in names.items():
        if not listed:
            yield Finding("empty-split", f"splits/{split}.txt: names no image; write one per line")
        for name, count in Counter(listed).items():
            homes.setdefault(name, []).append(split)
            if count > 1:
                sentence = f"splits/{split}.txt: names '{name}' more than once; keep one line"
                yield Finding("repeated-name", sentence, (name,))
    for name, splits in homes.items():
        if len(splits) > 1:
            sentence = f"images/{name}: is in {' and '.join(splits)}; keep it in one of them"
            yield Finding("in-two-splits", sentence, (name,))


def _sharing(names: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    by_stem: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for listed in names.values() for name in listed):
        by_stem.setdefault(Path(name).stem, []).append(name)
    for stem, sharing in by_stem.items():
        if len(sharing) > 1:
            sentence = (
                f"masks/{stem}.png: is the mask of {enumerated(sharing)}; rename all but one, with a mask of its own"
            )
            yield Finding("shared-mask", sentence, tuple(sharing))


def _left_over(folder: Path, names: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    listed = {name for split in names.values() for name in split}
    alone = [name for name in _image_files(folder / "images") if name not in listed]
    if alone:
        sentence = f"images: {len(alone)} of the pictures are in no split, {enumerated(alone)}; list or remove them"
        yield Finding("unlisted", sentence, tuple(alone))
    stems = {Path(name).stem for name in (*listed, *alone)}
    unused = [name for name in _image_files(folder / "masks") if Path(name).stem not in stems]
    if unused:
        yield Finding("unused-mask", f"masks: {len(unused)} have no picture, {enumerated(unused)}; remove them")


def _links(folder: Path, samples: Mapping[str, Sample]) -> Iterator[Finding]:
    home = folder.resolve()
    leading_out = [part for part in ("images", "masks", "splits") if not _is_inside(folder / part, home)]
    for part in leading_out:
        sentence = f"{part}: is a link to {printable(str((folder / part).resolve()))}; put the folder itself there"
        yield Finding("outside-folder", sentence)
    for name, sample in samples.items():
        for path in (sample.image_path, sample.mask_path):
            if path.parent.name not in leading_out and path.is_symlink() and not _is_inside(path, home):
                place = f"{path.parent.name}/{path.name}: is a link to {printable(str(path.resolve()))}"
                yield Finding("outside-folder", f"{place}; put the file itself there", (name,))


def _is_inside(path: Path, home: Path) -> bool:
    return path.resolve().is_relative_to(home)


def _image_files(folder: Path) -> Iterable[str]:
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    return sorted(printable(path.name) for path in found if not path.name.startswith("."))
