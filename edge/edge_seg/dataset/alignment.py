"""Whether the outlines of masks lie on the edges of their pictures, or on those of another place or picture.

Outlines and edges are compared on a coarse grid by strength and direction. The direction is kept as a
doubled angle (Granlund 1978): a step from dark to bright and one from bright to dark are the same edge,
and an upright edge speaks against a level outline instead of for it.

Measured on copies of five real data sets and of a generated one, in each of which ten pairs of masks
were exchanged and ten masks moved by 8 % of the sides, three times over; and on the sets as they are:

    pictures                  exchanged pairs found   moved masks found   false alarms untouched
    625 pets (trimaps)                 30 of 30            25 of 30                 1
    500 fires                          27 of 30            30 of 30                 0
    220 floods                         30 of 30            30 of 30                 0
    550 bags of rubbish                28 of 30            28 of 30                 0
    131 waste bottles                  27 of 30            27 of 30                 0
    240 generated scenes               30 of 30            30 of 30                 0

Shifts below 3 % of a side pass for careless drawing, unless all masks share one: then 3 % to 5 % are
found, according to the set. Masks that follow no edges (of places to walk, say) tell nothing at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge_seg.images import ClassMap, RgbImage

Floats: TypeAlias = NDArray[np.float32]

_GRID = 64
_REACH = 8  # cells that a mask may have been moved by, one eighth of a side
_NEAR = 2.0  # cells within which outlines drawn by hand wander
_COARSE_GRID = 24  # cells so wide that a carelessly drawn outline still meets its edge
_WIDEST_MASK = 256
_FULL_STEP = 16  # Scharr's answer to a step from 0 to 1
_SHORTEST_OUTLINE = 16.0  # cells, counted for either class along it; a shorter one fits a thousand corners

_LEAST_GAIN = 0.1
_LEAST_SHARE = 0.3
_LEAST_TYPICAL_DEVIATIONS = 2.0  # medians: 3.3 to 6.5 of the real sets, 1.0 with unrelated masks
_LEAST_EXCHANGE_GAIN = 2.5
_FEWEST_TO_COMPARE = 20  # below, the deviation of the fits is not known
_FEWEST_TO_AVERAGE = 40
_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Shift:
    """Where a mask belongs, seen from where it is: shares of the picture's width and height."""

    right: float
    down: float


@dataclass(frozen=True, eq=False)
class Alignment:
    """What is kept of a picture and its mask to judge whether they belong together; 3 kB.

    Attributes:
        fits: [17, 17] float16, how well the outlines fit the edges when moved by -8 to 8 cells of a
            64th of a side, downwards by row and to the right by column; around 0 if unrelated.
        edges: [1152] int8, the edges of the picture on a grid of 24×24.
        outlines: [1152] int8, the outlines of the mask on the same grid.
    """

    fits: NDArray[np.float16]
    edges: NDArray[np.int8]
    outlines: NDArray[np.int8]


def align(image: RgbImage, mask: ClassMap) -> Alignment | None:
    """Compare a picture (RGB uint8 [h, w, 3]) with its mask (class ids uint8 [h, w]).

    Returns:
        None for a mask with too little outline to tell anything.
    """
    outlines = _outlines(mask)
    if outlines[..., 0].sum() < _SHORTEST_OUTLINE:
        return None
    edges = _edges(image)
    return Alignment(_fits(edges, outlines).astype(np.float16), _coarse(edges), _coarse(outlines))


def moved_masks(alignments: Sequence[Alignment]) -> dict[int, Shift]:
    """Return which masks lie clearly beside the edges they fit, by index, and how to move them back.

    Nothing is returned where the masks of a data set do not follow the edges of its pictures on the
    whole: a single one that does not is then no sign of a fault.
    """
    if not alignments or np.median([_present_deviations(item) for item in alignments]) < _LEAST_TYPICAL_DEVIATIONS:
        return {}
    shifts = {index: better_shift(item) for index, item in enumerate(alignments)}
    return {index: shift for index, shift in shifts.items() if shift is not None}


def better_shift(alignment: Alignment) -> Shift | None:
    """Return how to move a mask so that it fits its picture clearly better, or None if it is in place."""
    return _clear_shift(_floats(alignment.fits), _distances() <= _NEAR)


def common_shift(alignments: Sequence[Alignment]) -> Shift | None:
    """Return how to move all masks of a data set, or None if they are in place on the whole.

    Of one picture a shift by a cell or two says nothing; of the mean over many pictures it does.
    """
    if len(alignments) < _FEWEST_TO_AVERAGE:
        return None
    return _clear_shift(_floats(np.stack([item.fits for item in alignments]).mean(0)), _distances() == 0)


def better_partners(alignments: Sequence[Alignment]) -> dict[int, int]:
    """Return, for pictures whose own mask does not fit, the picture whose mask does.

    Reported is what is best both ways: no mask fits the picture better, no picture fits the mask
    better, and neither the picture's own mask nor the mask's own picture comes within 2.5 standard
    deviations of how that mask fits all pictures. Exchanged masks give two entries, masks that slid
    along a list by one a ring.
    """
    if len(alignments) < _FEWEST_TO_COMPARE:
        return {}
    edges, outlines = (_centred([getattr(item, side) for item in alignments]) for side in ("edges", "outlines"))
    # The deviation of every mask's fits to all pictures, without the matrix of the fits.
    variance = ((outlines @ (edges.T @ edges)) * outlines).sum(1) / len(edges)
    outlines /= np.sqrt(variance + 1e-9)[:, None]
    return _best_both_ways(edges, outlines)


def _present_deviations(alignment: Alignment) -> float:
    """How far the fit in the present place stands out of those at all shifts, in standard deviations."""
    fits = _floats(alignment.fits)
    present = fits[_distances() <= _NEAR].max()
    return float((present - np.median(fits)) / (fits.std() + 1e-6))


def _best_both_ways(edges: Floats, outlines: Floats) -> dict[int, int]:
    own = (edges * outlines).sum(1)
    mask_of, picture_of = np.zeros(len(own), np.int64), np.zeros(len(own), np.int64)
    most = np.full(len(own), -np.inf, np.float32)
    for start in range(0, len(own), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        gains = edges[rows] @ outlines.T
        gains -= np.maximum(own[rows, None], own)
        mask_of[rows] = gains.argmax(1)
        best = gains.argmax(0)
        gain = gains[best, np.arange(len(own))]
        picture_of = np.where(gain > most, start + best, picture_of)
        most = np.maximum(most, gain)
    clear = np.flatnonzero((most >= _LEAST_EXCHANGE_GAIN) & (mask_of[picture_of] == np.arange(len(own))))
    return dict(sorted((int(picture_of[mask]), int(mask)) for mask in clear))


def _centred(vectors: Sequence[NDArray[np.int8]]) -> Floats:
    """Stack to float32 [n, 1152]: each of length 1, then less the mean, so that what all share counts for none."""
    stacked = np.stack(vectors).astype(np.float32)
    stacked /= np.linalg.norm(stacked, axis=1, keepdims=True) + 1e-6
    return stacked - stacked.mean(0)


def _edges(image: RgbImage) -> Floats:
    """The edges of a picture: strength, and strength at the doubled angle; float32 [64, 64, 3]."""
    if min(image.shape[:2]) >= 4 * _GRID:  # halving first takes half the time
        image = np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    small = _floats(cv2.resize(image, (_GRID, _GRID), interpolation=cv2.INTER_AREA)) / 255
    across, down = _slopes(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32))
    across, down = _strongest(across, down)
    strength = _floats(np.hypot(across, down))
    # The bound and the root keep one glaring edge from outweighing all faint ones.
    return _oriented(across, down, np.sqrt(np.minimum(strength / (strength.mean() + 1e-6), 4)))


def _outlines(mask: ClassMap) -> Floats:
    """The outlines of all classes of a mask: strength, and strength at the doubled angle; float32 [64, 64, 3]."""
    height, width = mask.shape
    scale = min(1.0, _WIDEST_MASK / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    mask = np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
    outlines = np.zeros((_GRID, _GRID, 3), np.float32)
    for class_id in present if len(present) > 1 else ():
        where = np.asarray(mask == class_id, np.uint8) * np.uint8(255)
        share = _floats(cv2.resize(where, (_GRID, _GRID), interpolation=cv2.INTER_AREA)) / np.float32(255)
        across, down = _slopes(share)
        outlines += _oriented(across, down, _floats(np.minimum(np.hypot(across, down) / _FULL_STEP, 1)))
    outlines[:2] = outlines[-2:] = outlines[:, :2] = outlines[:, -2:] = 0  # the frame of a picture is no edge in it
    return outlines


def _slopes(values: Floats) -> tuple[Floats, Floats]:
    return _floats(cv2.Scharr(values, cv2.CV_32F, 1, 0)), _floats(cv2.Scharr(values, cv2.CV_32F, 0, 1))


def _strongest(across: Floats, down: Floats) -> tuple[Floats, Floats]:
    """Of slopes in several channels, float32 [h, w, c], those of the steepest; float32 [h, w]."""
    channel = (across**2 + down**2).argmax(2)[..., None]
    return _floats(np.take_along_axis(across, channel, 2)[..., 0]), _floats(
        np.take_along_axis(down, channel, 2)[..., 0]
    )


def _oriented(across: Floats, down: Floats, strength: Floats) -> Floats:
    square = across**2 + down**2 + 1e-12
    parts = (strength, strength * (across**2 - down**2) / square, strength * 2 * across * down / square)
    return _floats(np.dstack(parts))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, np.float32)


def _fits(edges: Floats, outlines: Floats) -> Floats:
    """Mean agreement along the outlines that stay inside the picture, for every shift; float32 [17, 17]."""
    agreement = sum(_correlated(edges[..., part], outlines[..., part]) for part in (1, 2))
    length = _correlated(np.ones((_GRID, _GRID), np.float32), outlines[..., 0])
    # Of an outline that mostly leaves the picture the rest would fit anything.
    return np.asarray(agreement / np.maximum(length, outlines[..., 0].sum() / 2), np.float32)


def _correlated(still: Floats, moved: Floats) -> Floats:
    padded = np.pad(still, _REACH)
    return np.asarray(cv2.matchTemplate(padded, np.ascontiguousarray(moved), cv2.TM_CCORR), np.float32)


def _coarse(oriented: Floats) -> NDArray[np.int8]:
    small = cv2.resize(oriented[..., 1:], (_COARSE_GRID, _COARSE_GRID), interpolation=cv2.INTER_AREA).ravel()
    return np.rint(small * (127 / (np.abs(small).max() + 1e-6))).astype(np.int8)


def _clear_shift(fits: Floats, present: NDArray[np.bool_]) -> Shift | None:
    """The shift of the best fit if it clearly exceeds those in the present place.

    At the rim there is none: the fit may go on rising beyond it.
    """
    best = np.where(present, -np.inf, fits)
    gain, height = best.max() - fits[present].max(), best.max() - np.median(fits)
    row, column = np.unravel_index(int(best.argmax()), fits.shape)
    down, right = int(row) - _REACH, int(column) - _REACH
    if gain < max(_LEAST_GAIN, _LEAST_SHARE * height) or max(abs(down), abs(right)) == _REACH:
        return None
    return Shift(right / _GRID, down / _GRID)


def _distances() -> Floats:
    steps = np.arange(-_REACH, _REACH + 1, dtype=np.float32)
    return np.hypot(steps[:, None], steps)
