"""Whether a frame is, in effect, one that was kept already: the same scene with the same answer.

The same scene alone says little: a camera that hangs on a wall sees one scene for years, and what
matters is what stands in it. So the answers are laid over each other as the pictures go together.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset.near_duplicates import THUMBNAIL_SIDE, Fingerprint, fingerprint, scene_map
from edge_seg.images import ClassMap, RgbImage
from edge_seg.resampling import shrink_mask

SIDE = THUMBNAIL_SIDE
_REMEMBERED = 2000
_SAME_SHARE = 0.01
_SAME_SHARE_OF_OBJECTS = 0.3
_SAME_GREY_LEVELS = 6.0
_LEAST_OVERLAP = 0.6
_OUTSIDE = 255
_MOST_SHARES_APART = 0.3

Affine = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Look:
    """What is kept of a frame to find others like it, about 12 kB.

    Attributes:
        picture: of its picture.
        class_map: [48, 48] uint8, its answer.
    """

    picture: Fingerprint
    class_map: ClassMap

    @classmethod
    def of(cls, image: RgbImage, class_map: ClassMap) -> "Look":
        """Summarise a frame [h, w, 3] and its answer [h, w], of whatever sizes."""
        return cls(fingerprint(image), shrink_mask(class_map, SIDE, SIDE))


class KeptFrames:
    """The kept frames, to compare new ones with; beyond 2,000 the oldest are forgotten."""

    def __init__(self, background_id: int) -> None:
        self._background_id = background_id
        self._looks: deque[Look] = deque(maxlen=_REMEMBERED)

    def add(self, look: Look) -> None:
        """Remember a kept frame."""
        self._looks.append(look)

    def has_like(self, look: Look) -> bool:
        """True when a kept frame shows the same scene with the same answer, perhaps a little moved."""
        return any(self._is_like(look, kept) for kept in reversed(self._looks))

    def _is_like(self, look: Look, kept: Look) -> bool:
        if _differ_in_shares(look.class_map, kept.class_map):
            return False  # spares the comparison of the pictures, which takes a hundred times as long
        moved = _motion(look.picture, kept.picture)
        return moved is not None and same_answer(look.class_map, _laid_over(kept.class_map, moved), self._background_id)


def same_answer(first: ClassMap, second: ClassMap, background_id: int) -> bool:
    """True when two class maps of one size differ in under 1 % of the pixels, or 30 % of their objects'.

    Pixels of class 255 are outside the picture; where there are many of them, nothing is the same.
    """
    inside = second != _OUTSIDE
    differing = np.count_nonzero((first != second) & inside)
    objects = np.count_nonzero(((first != background_id) | (second != background_id)) & inside)
    same = differing <= max(_SAME_SHARE * first.size, _SAME_SHARE_OF_OBJECTS * objects)
    return bool(same and inside.mean() >= _LEAST_OVERLAP)


def _differ_in_shares(first: ClassMap, second: ClassMap) -> bool:
    """True when the areas of the classes are too far apart for any motion to bring the maps together."""
    counts, others = (np.bincount(item.ravel(), minlength=256) for item in (first, second))
    return bool(np.abs(counts - others).sum() / 2 > _MOST_SHARES_APART * first.size)


def _motion(first: Fingerprint, second: Fingerprint) -> Affine | None:
    """Compare pixels, which tells two pictures of the dark to be one, then local features."""
    apart = cv2.norm(first.thumbnail, second.thumbnail, cv2.NORM_L1) / first.thumbnail.size
    return np.eye(2, 3) if apart < _SAME_GREY_LEVELS else scene_map(first, second)


def _laid_over(class_map: ClassMap, moved: Affine) -> ClassMap:
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(class_map, moved, (SIDE, SIDE), flags=flags, borderValue=_OUTSIDE), np.uint8)
