"""Which pairs of pictures are worth comparing: a handful out of the millions there are."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]

_FEWEST_VOTES = 4
_WORDS = 8
_LINKS = 8
_MOST_BITS_APART = 14  # of 63
_HASH_SIDE, _FREQUENCIES = 32, 8
_ROWS_AT_ONCE = 256


class Candidate(NamedTuple):
    """Two pictures that may show the same scene, as indices; `first` < `second`."""

    first: int
    second: int
    mirrored: bool


def neighbours(count: int) -> Iterator[Candidate]:
    """Yield each picture with the next two: sorted by name, the frames of a video lie side by side."""
    for distance in (1, 2):
        for first in range(count - distance):
            yield Candidate(first, first + distance, mirrored=False)


def sharing_words(plain: Sequence[NDArray[np.uint8]], mirrored: Sequence[NDArray[np.uint8]]) -> list[Candidate]:
    """Return the pairs that share words of their descriptors, those that share most first.

    Multi-index hashing (Norouzi, Punjani & Fleet 2012): of the 8 words of 32 bits in two descriptors that
    differ in few bits, some are most likely equal, and equal words are found by sorting.

    Args:
        plain: [n, 32] uint8 descriptors of every picture.
        mirrored: those of its mirror image.
    """
    count = len(plain)
    words = [item.view(np.uint32) for item in (*plain, *mirrored)]
    lengths = [len(item) for item in words]
    owners = np.repeat(np.tile(np.arange(count), 2), lengths)
    flipped = np.repeat(np.repeat([0, 1], count), lengths)
    codes, votes = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for column in range(_WORDS):  # one at a time, as this is what takes memory
        word = np.concatenate([item[:, column] for item in words])
        found = _pairs_of_equal(word, owners, flipped, count)
        codes, inverse = np.unique(np.concatenate([codes, found]), return_inverse=True)
        weights = np.concatenate([votes, np.ones(len(found), np.int64)])
        votes = np.bincount(inverse, weights).astype(np.int64)
    best = np.argsort(-votes, kind="stable")[: np.count_nonzero(votes >= _FEWEST_VOTES)]
    return [_decoded(int(code), count) for code in codes[best]]


def alike_as_a_whole(thumbnails: Sequence[NDArray[np.uint8]]) -> Iterator[Candidate]:
    """Yield the pairs whose thumbnails (uint8 [h, w]) have low frequencies of the same signs.

    pHash (Zauner 2010): the 8×8 lowest frequencies of the cosine transform of 32×32 pixels, as signs.
    A mirror image has the odd horizontal frequencies reversed.
    """
    signs = np.array([_signs(thumbnail) for thumbnail in thumbnails], np.float32).reshape(-1, _FREQUENCIES**2 - 1)
    reversal = np.resize(np.array([1, -1], np.float32), _FREQUENCIES**2)[1:]
    least_agreement = signs.shape[1] - 2 * _MOST_BITS_APART
    for start in range(0, len(signs), _ROWS_AT_ONCE):
        rows = signs[start : start + _ROWS_AT_ONCE]
        for mirrored, turned in enumerate((rows, rows * reversal)):
            for row, second in np.argwhere(turned @ signs.T >= least_agreement):
                if start + row < second:
                    yield Candidate(int(start + row), int(second), bool(mirrored))


def _pairs_of_equal(
    word: NDArray[np.uint32], owners: Integers, flipped: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    """Return a code for every two pictures that hold the same word, as far as they are close when sorted.

    A word that a thousand pictures hold makes chains through them, not half a million pairs.
    """
    order = np.argsort(word, kind="stable")
    word, owners, flipped = word[order], owners[order], flipped[order]
    found: list[Integers] = []
    for lag in range(1, _LINKS + 1):
        sides = flipped[lag:] + flipped[:-lag]
        same = (word[lag:] == word[:-lag]) & (owners[lag:] != owners[:-lag]) & (sides < 2)
        one, other = owners[:-lag][same], owners[lag:][same]
        found.append((np.minimum(one, other) * count + np.maximum(one, other)) * 2 + sides[same])
    return np.concatenate(found)


def _decoded(code: int, count: int) -> Candidate:
    pair, mirrored = divmod(code, 2)
    return Candidate(*divmod(pair, count), bool(mirrored))


def _signs(thumbnail: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = cv2.resize(thumbnail, (_HASH_SIDE, _HASH_SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:_FREQUENCIES, :_FREQUENCIES]
    return np.where(low.ravel()[1:] > 0, 1, -1).astype(np.float32)
