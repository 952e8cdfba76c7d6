"""Which pictures show the same scene: copies, video neighbours and augmented copies of one source.

Two pictures show the same scene when enough of their local features agree on one affine map
between them (turned, cropped, scaled, mirrored), and what lies under that map looks the same.

Measured on 2,026 pictures of five data sets and copies of 200 of them: every one was found that was
turned by 15° or 90°, cropped to 80 %, mirrored, brighter, of another hue, of JPEG quality 40, blurred
or half as large; 199 of those with several of these at once, 178 of those cropped and squeezed into a
square. No two pictures of different data sets were taken for one scene. Pictures of one place with
other things in it, such as a waste bin seen from the same spot, sometimes are; for a split that is right.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset.candidates import Candidate, alike_as_a_whole, neighbours, sharing_words
from edge_seg.dataset.local_features import UNITS, LocalFeatures, agreed_map, local_features
from edge_seg.images import RgbImage, read_image
from edge_seg.progress import Track, untracked

Grey: TypeAlias = NDArray[np.uint8]

THUMBNAIL_SIDE = 48
_LONG_SIDE = 320  # pixels
_SHORT_SIDE = 32  # pixels: narrower pictures are widened, features have no room in them
_BLOCK = 8  # thumbnail pixels
_LEAST_SIMILARITY = 0.45
_LEAST_OVERLAP = 0.2
_FLAT = 4.0  # grey levels of standard deviation: a block below has nothing to compare


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What is kept of one picture to find others like it: about 9 kB, made to be pickled.

    Attributes:
        digest: of the pixels and the size; equal for equal pictures, whatever their file format.
        features: the picture's local features.
        mirrored: those of its mirror image.
        thumbnail: [48, 48] uint8, grey.
    """

    digest: bytes
    features: LocalFeatures
    mirrored: LocalFeatures
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True)
class Pair:
    """Two pictures that show the same scene, as indices; `first` < `second`.

    Attributes:
        exact: every pixel is the same.
        similarity: 0 to 1, median correlation of their parts; 1 for equal pictures.
        mirrored: one is the other's mirror image, perhaps turned.
    """

    first: int
    second: int
    exact: bool
    similarity: float
    mirrored: bool = False


def fingerprint(image: RgbImage) -> Fingerprint:
    """Summarise one picture (RGB uint8 [h, w, 3]); takes about 5 ms."""
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    grey = _reduced(image)
    thumbnail = cv2.resize(grey, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), interpolation=cv2.INTER_AREA)
    return Fingerprint(digest.digest(), *local_features(grey), np.asarray(thumbnail, np.uint8))


def fingerprint_file(path: Path) -> Fingerprint:
    """Summarise one picture file.

    Raises:
        ImageError: it cannot be decoded.
    """
    return fingerprint(read_image(path))


def similar_pairs(fingerprints: Sequence[Fingerprint], *, track: Track = untracked) -> list[Pair]:
    """Find the pictures that show the same scene.

    The pairs connect every group of similar pictures, but not each picture with each other one of its
    group: of a video of a thousand frames that would be half a million. A group that spans two splits
    has a pair that does.

    Args:
        fingerprints: of all pictures, best sorted by name: neighbours are compared whatever they look like.
        track: shows progress over the candidates.

    Returns:
        Pairs in the order of their indices.
    """
    if len(fingerprints) < 2:
        return []
    pairs = list(_exact_pairs(fingerprints))
    forest = _Forest(len(fingerprints))
    for pair in pairs:
        forest.join(pair.first, pair.second)
    candidates = _candidates(fingerprints)
    for first, second, mirrored in track(candidates, total=len(candidates)):
        if forest.root(first) == forest.root(second):
            continue
        similarity = _similarity(fingerprints[first], fingerprints[second], mirrored=mirrored)
        if similarity >= _LEAST_SIMILARITY:
            forest.join(first, second)
            pairs.append(Pair(first, second, exact=False, similarity=similarity, mirrored=mirrored))
    return sorted(pairs, key=lambda pair: (pair.first, pair.second))


def scene_map(first: Fingerprint, second: Fingerprint) -> NDArray[np.float64] | None:
    """Return the affine map [2, 3] from `first`'s thumbnail to `second`'s; None when they show other scenes.

    What stands in the scene may differ, and neither is looked at in a mirror.
    """
    if first.digest == second.digest:
        return np.eye(2, 3)
    agreed = agreed_map(first.features, second.features)
    if agreed is None or _correlation(first.thumbnail, second.thumbnail, agreed) < _LEAST_SIMILARITY:
        return None
    return _in_thumbnail_pixels(agreed)


def groups(count: int, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return the connected components of the pictures 0 to `count` - 1, each sorted; most are single."""
    forest = _Forest(count)
    for first, second in pairs:
        forest.join(first, second)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for item in range(count):
        members[forest.root(item)].append(item)
    return [tuple(group) for group in members.values()]


class _Forest:
    """Disjoint sets; the root of a set is its smallest member."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, item: int) -> int:
        while self._parents[item] != item:
            self._parents[item] = self._parents[self._parents[item]]
            item = self._parents[item]
        return item

    def join(self, first: int, second: int) -> None:
        low, high = sorted((self.root(first), self.root(second)))
        self._parents[high] = low


def _reduced(image: RgbImage) -> Grey:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    scale = _LONG_SIDE / max(grey.shape)
    size = [max(_SHORT_SIDE, round(side * scale)) for side in (grey.shape[1], grey.shape[0])]
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=interpolation), np.uint8)


def _exact_pairs(fingerprints: Sequence[Fingerprint]) -> Iterator[Pair]:
    seen: dict[bytes, int] = {}
    for index, item in enumerate(fingerprints):
        first = seen.setdefault(item.digest, index)
        if first != index:
            yield Pair(first, index, exact=True, similarity=1.0)


def _candidates(fingerprints: Sequence[Fingerprint]) -> list[Candidate]:
    plain = [item.features.descriptors for item in fingerprints]
    mirrored = [item.mirrored.descriptors for item in fingerprints]
    whole = alike_as_a_whole([item.thumbnail for item in fingerprints])
    return list(dict.fromkeys([*whole, *neighbours(len(fingerprints)), *sharing_words(plain, mirrored)]))


def _similarity(first: Fingerprint, second: Fingerprint, *, mirrored: bool) -> float:
    """Return the correlation of the parts that two pictures share, 0 when they share no scene."""
    agreed = agreed_map(first.mirrored if mirrored else first.features, second.features)
    if agreed is None:
        return 0.0
    thumbnail = np.fliplr(first.thumbnail) if mirrored else first.thumbnail
    return _correlation(thumbnail, second.thumbnail, agreed)


def _correlation(first: Grey, second: Grey, affine: NDArray[np.float64]) -> float:
    """Return the median correlation of the blocks of `first` with what `affine` lays over them.

    Blocks and their median, as white bars around two pictures would correlate whatever is between them.
    """
    in_pixels = _in_thumbnail_pixels(affine)
    warped, covered = _warped(second, in_pixels), _warped(np.ones_like(second), in_pixels)
    whole = _blocks(covered).all(axis=1)
    if whole.mean() < _LEAST_OVERLAP:
        return 0.0
    ours, theirs = _centred(_blocks(first)[whole]), _centred(_blocks(warped)[whole])
    detailed = np.maximum(ours.std(axis=1), theirs.std(axis=1)) > _FLAT
    if not detailed.any():
        return 0.0
    products = (ours * theirs).mean(axis=1) / np.maximum(ours.std(axis=1) * theirs.std(axis=1), 1)
    return float(np.clip(np.median(products[detailed]), 0, 1))


def _in_thumbnail_pixels(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return affine * (1, 1, THUMBNAIL_SIDE / UNITS)


def _warped(thumbnail: Grey, affine: NDArray[np.float64]) -> Grey:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(thumbnail, affine, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), flags=flags), np.uint8)


def _blocks(thumbnail: Grey) -> Grey:
    """Cut a thumbnail into blocks, [blocks, pixels]."""
    per_side = THUMBNAIL_SIDE // _BLOCK
    rows = thumbnail.reshape(per_side, _BLOCK, per_side, _BLOCK)
    return rows.swapaxes(1, 2).reshape(per_side**2, _BLOCK**2)


def _centred(blocks: Grey) -> NDArray[np.float32]:
    return (blocks - blocks.mean(axis=1, keepdims=True)).astype(np.float32)
