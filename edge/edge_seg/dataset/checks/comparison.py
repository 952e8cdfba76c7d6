"""What only all pictures together tell: copies, scarce classes, masks that belong elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge_seg.classes import SegmentationClass
from edge_seg.dataset.alignment import Shift, better_partners, common_shift, moved_masks
from edge_seg.dataset.checks.findings import FEWEST_IN_TRAIN, Finding, SplitSummary, enumerated
from edge_seg.dataset.checks.inspection import Inspected
from edge_seg.dataset.checks.listing import Listing
from edge_seg.dataset.folder import Dataset
from edge_seg.dataset.near_duplicates import groups, similar_pairs
from edge_seg.progress import Track


def summarise(dataset: Dataset, listing: Listing, inspected: Mapping[str, Inspected]) -> dict[str, SplitSummary]:
    """Count pictures and pixels of every split."""
    summaries: dict[str, SplitSummary] = {}
    for split, names in listing.names.items():
        masks = [inspected[name].pixels for name in listing.known(split)]
        summaries[split] = _summary(dataset, len(names), np.stack(masks) if masks else np.zeros((1, 256), np.uint32))
    return summaries


def _summary(dataset: Dataset, pictures: int, pixels: NDArray[np.uint32]) -> SplitSummary:
    total = pixels.sum(0, dtype=np.int64)
    labelled = max(1, sum(int(total[item.id]) for item in dataset.classes))
    return SplitSummary(
        pictures=pictures,
        pixel_shares={item.name: int(total[item.id]) / labelled for item in dataset.classes},
        class_pictures={item.name: int((pixels[:, item.id] > 0).sum()) for item in dataset.classes},
        ignored_share=int(total[dataset.ignore_id]) / max(1, int(total.sum())),
    )


def scarce_classes(classes: Sequence[SegmentationClass], splits: Mapping[str, SplitSummary]) -> Iterator[Finding]:
    """Classes that a split lacks, or that few training pictures hold."""
    for split, summary in splits.items():
        for item in classes if any(summary.class_pictures.values()) else ():
            if not summary.class_pictures[item.name]:
                sentence = f"split {split}: no pixel of the class '{item.name}'; add pictures of it or split anew"
                yield Finding("absent-class", sentence)
    train = splits.get("train")
    if train and 0 < train.pictures < FEWEST_IN_TRAIN:
        sentence = f"split train: holds {train.pictures} pictures; train on {FEWEST_IN_TRAIN} or more"
        yield Finding("few-pictures", sentence)
    elif train:
        for name, count in train.class_pictures.items():
            if 0 < count < FEWEST_IN_TRAIN:
                sentence = (
                    f"split train: {count} pictures hold the class '{name}'; add some, to {FEWEST_IN_TRAIN} or more"
                )
                yield Finding("few-pictures", sentence)


def similar_pictures(listing: Listing, inspected: Mapping[str, Inspected], track: Track) -> Iterator[Finding]:
    """Copies of one picture and pictures of one scene, within and across splits."""
    known = ((name, item.fingerprint) for name, item in inspected.items() if item.fingerprint is not None)
    found = sorted(known, key=lambda pair: pair[0])
    names = [name for name, _ in found]  # by name, as `split` compares them: neighbours are often frames of a video
    pairs = similar_pairs([fingerprint for _, fingerprint in found], track=track)
    copies = _groups(names, ((pair.first, pair.second) for pair in pairs if pair.exact))
    scenes = _groups(names, ((pair.first, pair.second) for pair in pairs))
    homes = {name: listing.splits_of(name) for group in scenes for name in group}
    for group in copies:
        if len(_splits(group, homes)) == 1:
            sentence = f"images: {enumerated(group)} are the same picture; keep one of them"
            yield Finding("duplicate", sentence, group)
    for group in scenes:
        what = "are the same picture" if group in copies else "show one scene"
        if len(_splits(group, homes)) > 1:
            placed = [f"{name} ({' and '.join(homes[name])})" for name in _alternating(group, homes)]
            sentence = f"images: {enumerated(placed)} {what}; keep them together with  edge-seg data split"
            yield Finding("crosses-splits", sentence, tuple(_alternating(group, homes)))
        elif group not in copies:
            yield Finding("near-duplicate", f"images: {enumerated(group)} {what}; keep them in one split", group)


def _groups(names: Sequence[str], pairs: Iterable[tuple[int, int]]) -> list[tuple[str, ...]]:
    found = groups(len(names), pairs)
    return [tuple(names[index] for index in group) for group in found if len(group) > 1]


def _splits(group: Sequence[str], homes: Mapping[str, Sequence[str]]) -> set[str]:
    return {split for name in group for split in homes[name]}


def _alternating(group: Sequence[str], homes: Mapping[str, Sequence[str]]) -> list[str]:
    """Order a group so that its first pictures are of different splits."""
    seen: dict[str, int] = {}
    ranks: dict[str, int] = {}
    for name in group:
        home = homes[name][0]
        ranks[name] = seen[home] = seen.get(home, -1) + 1
    return sorted(group, key=lambda name: ranks[name])


def misplaced_masks(inspected: Mapping[str, Inspected]) -> Iterator[Finding]:
    """Masks that look exchanged or shifted."""
    yield from _exchanged_by_size(inspected)
    names = [name for name, item in inspected.items() if item.alignment is not None]
    alignments = [item.alignment for item in inspected.values() if item.alignment is not None]
    common = common_shift(alignments)
    partners = {} if common else better_partners(alignments)
    yield from _exchanged(names, partners)
    if common:
        yield _shifted_all(names, common)
        return
    explained = {names[index] for index in (*partners, *partners.values())}
    explained |= {name for name, item in inspected.items() if any(found.kind == "box-mask" for found in item.findings)}
    for index, shift in moved_masks(alignments).items():
        if names[index] not in explained:
            yield _shifted(names[index], inspected[names[index]], shift)


def _exchanged(names: Sequence[str], partners: Mapping[int, int]) -> Iterator[Finding]:
    for picture, other in partners.items():
        first, second = names[picture], names[other]
        if partners.get(other) != picture:
            sentence = f"images/{first}: the mask of {second} fits it better than its own; find out whose it is"
            yield Finding("looks-swapped", sentence, (first, second))
        elif picture < other:
            sentence = f"images: the masks of {first} and {second} fit better the other way round; exchange them"
            yield Finding("looks-swapped", sentence, (first, second))


def _exchanged_by_size(inspected: Mapping[str, Inspected]) -> Iterator[Finding]:
    """Two masks of wrong sizes that have each other's, if no third picture comes into question."""
    wanting: dict[tuple[tuple[int, int], tuple[int, int]], list[str]] = {}
    for name, item in inspected.items():
        if item.image_size and item.mask_size and item.image_size != item.mask_size:
            wanting.setdefault((item.image_size, item.mask_size), []).append(name)
    for (image_size, mask_size), first in wanting.items():
        second = wanting.get((mask_size, image_size), [])
        if len(first) == len(second) == 1 and first < second:
            names = (first[0], second[0])
            sentence = f"images: the masks of {names[0]} and {names[1]} have each other's size; exchange them"
            yield Finding("looks-swapped", sentence, names)


def _shifted(name: str, item: Inspected, shift: Shift) -> Finding:
    width, height = item.image_size or (0, 0)
    right, down = round(shift.right * width), round(shift.down * height)
    sentence = f"images/{name}: its mask fits better {_way(right, down, ' pixels')}; move it there or draw it anew"
    return Finding("looks-shifted", sentence, (name,), (right, down))


def _shifted_all(names: Sequence[str], shift: Shift) -> Finding:
    way = _way(round(100 * shift.right, 1), round(100 * shift.down, 1), " % of the side")
    sentence = f"masks: on the whole they fit better {way}; look how they were exported"
    return Finding("looks-shifted", sentence, tuple(names))


def _way(right: float, down: float, unit: str) -> str:
    across = f"{abs(right)}{unit} to the {'right' if right > 0 else 'left'}"
    along = f"{abs(down)}{unit} {'down' if down > 0 else 'up'}"
    return " and ".join(part for part, length in ((across, right), (along, down)) if length)
