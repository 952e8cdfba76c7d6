"""Which pictures show the same scene: copies, video neighbours and augmented copies of one source."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.images import RgbImage
from edge_seg.progress import Track, untracked

_MOST_BITS_APART = 10
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What is kept of one picture to find others like it; a few kB, made to be pickled.

    Attributes:
        digest: of the pixels and the size; equal for equal pictures, whatever their file format.
        signs: [63] int8, -1 or 1: the signs of the low frequencies (pHash, Zauner 2010).
    """

    digest: bytes
    signs: NDArray[np.int8]


@dataclass(frozen=True)
class Pair:
    """Two pictures that show the same scene, as indices; `first` < `second`.

    Attributes:
        exact: every pixel is the same.
        similarity: 0 to 1; 1 for equal pictures.
    """

    first: int
    second: int
    exact: bool
    similarity: float


def fingerprint(image: RgbImage) -> Fingerprint:
    """Summarise one picture (RGB uint8 [h, w, 3])."""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(image).data)
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    low = cv2.dct(grey.astype(np.float32))[:8, :8].ravel()[1:]
    return Fingerprint(digest.digest(), np.where(low > 0, 1, -1).astype(np.int8))


def similar_pairs(fingerprints: Sequence[Fingerprint], *, track: Track = untracked) -> list[Pair]:
    """Find the pictures that show the same scene.

    The pairs connect every group of similar pictures, but not each picture with each other one of its
    group: of a video of a thousand frames that would be half a million.

    Args:
        fingerprints: of all pictures.
        track: shows progress over the pictures.

    Returns:
        Pairs in the order of their indices.
    """
    exact = {(pair.first, pair.second): pair for pair in _exact_pairs(fingerprints)}
    alike = {(pair.first, pair.second): pair for pair in _alike_pairs(fingerprints, track)}
    return [pair for _, pair in sorted((alike | exact).items())]


def groups(count: int, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Return the connected components of the pictures 0 to `count` - 1, each sorted; most are single."""
    parents = list(range(count))

    def root(item: int) -> int:
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    for first, second in pairs:
        parents[max(root(first), root(second))] = min(root(first), root(second))
    members: defaultdict[int, list[int]] = defaultdict(list)
    for item in range(count):
        members[root(item)].append(item)
    return [tuple(group) for group in members.values()]


def _exact_pairs(fingerprints: Sequence[Fingerprint]) -> Iterator[Pair]:
    seen: dict[bytes, int] = {}
    for index, item in enumerate(fingerprints):
        first = seen.setdefault(item.digest, index)
        if first != index:
            yield Pair(first, index, exact=True, similarity=1.0)


def _alike_pairs(fingerprints: Sequence[Fingerprint], track: Track) -> Iterator[Pair]:
    if not fingerprints:
        return
    signs = np.stack([item.signs for item in fingerprints]).astype(np.float32)
    starts = range(0, len(signs), _ROWS_AT_ONCE)
    for start in track(starts, total=len(starts)):
        agreement = signs[start : start + _ROWS_AT_ONCE] @ signs.T / signs.shape[1]
        for row, second in np.argwhere(agreement >= 1 - 2 * _MOST_BITS_APART / signs.shape[1]):
            if start + row < second:
                yield Pair(int(start + row), int(second), exact=False, similarity=float(agreement[row, second]))
