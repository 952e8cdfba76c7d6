"""Averaging areas in whole numbers: the same bytes as OpenCV's INTER_AREA, in a third of its time.

INTER_AREA weighs every source pixel by the part of it that lies in a target pixel, in float32, one value at a
time. With a source of `a` pixels for every `b` target pixels (in lowest terms) all weights are multiples of 1/b:
whole numbers, whose sums float32 holds exactly, so that a matrix product on the processor's vector units may add
them in any order. The division at the end is the only rounding.

Both round to the nearest byte. They can differ only where the exact average lies halfway between two bytes, or
nearer to that than float32 is accurate. The average is a multiple of 1 / (a_rows × a_columns): where that number is
odd and small neither happens, and only then is this the one to use.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from edge_seg.images import RgbImage

_LARGEST_DIVISOR = 2025
"""Of 1080 rows and 1920 columns to 128 each; averages are then 1/4050 away from a tie, float32 errs by 1/5000."""

_LARGEST_PIXELS = 2**20
"""The source is held in float32, 12 bytes a pixel."""

_MOST_STEPS = 8
"""Most of the weights of a matrix are 0: with more target pixels in a period than this INTER_AREA is faster."""

_LARGEST_PRODUCT = 2**18
"""Multiplications of one matrix product; OpenBLAS starts threads for more, which would take inference's core."""

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AreaAverage:
    """The weights from one size to another."""

    rows: Weights
    """[b, a]: how much of each of `a` source rows lies in each of `b` target rows, times b."""
    columns: Weights
    """[a × 3, b × 3]: the same for interleaved RGB columns."""
    divisor: int
    """Sum of the weights of one target pixel."""

    def shrink(self, image: RgbImage, height: int, width: int) -> RgbImage:
        """Average [h, w, 3] uint8 to [height, width, 3], rounded to the nearest."""
        bands, strips = self.rows.shape[1], self.columns.shape[0]
        source = image.astype(np.float32).reshape(-1, bands, image.shape[1] * 3)
        rows = np.matmul(self.rows, source).reshape(height, -1, strips)
        sums = np.matmul(rows, self.columns)
        sums *= np.float32(1 / self.divisor)
        return np.rint(sums, out=sums).astype(np.uint8).reshape(height, width, 3)


@lru_cache(maxsize=8)
def area_average(source: tuple[int, int], target: tuple[int, int]) -> AreaAverage | None:
    """Return the weights from `source` to `target`, both (height, width), or None where INTER_AREA is to be used.

    The target is nowhere larger than the source.
    """
    (rows, row_steps), (columns, column_steps) = (
        _lowest_terms(big, small) for big, small in zip(source, target, strict=True)
    )
    divisor = rows * columns
    exact = divisor % 2 == 1 and divisor <= _LARGEST_DIVISOR
    small = source[0] * source[1] <= _LARGEST_PIXELS and rows * row_steps * source[1] * 3 <= _LARGEST_PRODUCT
    if not (exact and small and max(row_steps, column_steps) <= _MOST_STEPS):
        return None
    across = np.kron(_overlaps(columns, column_steps).T, np.eye(3, dtype=np.float32))
    return AreaAverage(_overlaps(rows, row_steps), across, divisor)


def _lowest_terms(source: int, target: int) -> tuple[int, int]:
    common = gcd(source, target)
    return source // common, target // common


def _overlaps(source: int, target: int) -> Weights:
    """Return [target, source]: the length that target cell i and source cell j share, in 1/target source cells."""
    ends = np.minimum.outer(np.arange(1, target + 1) * source, np.arange(1, source + 1) * target)
    starts = np.maximum.outer(np.arange(target) * source, np.arange(source) * target)
    return np.maximum(ends - starts, 0).astype(np.float32)
