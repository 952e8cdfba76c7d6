"""Whether a frame is, in effect, one that was kept already: the same scene with the same answer.

The same scene alone says little: a camera that hangs on a wall sees one scene for years, and what
matters is what stands in it.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from edge_seg.dataset.near_duplicates import Fingerprint, fingerprint, same_scene
from edge_seg.images import ClassMap, RgbImage
from edge_seg.resampling import shrink_mask

SIDE = 48
_REMEMBERED = 2000
_SAME_SHARE = 0.01
_SAME_SHARE_OF_OBJECTS = 0.3
_SAME_GREY_LEVELS = 6.0


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
        """True when a kept frame shows the same scene with the same answer."""
        return any(
            same_answer(look.class_map, kept.class_map, self._background_id) and _same_picture(look, kept)
            for kept in reversed(self._looks)
        )


def same_answer(first: ClassMap, second: ClassMap, background_id: int) -> bool:
    """True when two class maps of one size differ in under 1 % of the pixels, or 30 % of their objects'."""
    differing = np.count_nonzero(first != second)
    objects = np.count_nonzero((first != background_id) | (second != background_id))
    return bool(differing <= max(_SAME_SHARE * first.size, _SAME_SHARE_OF_OBJECTS * objects))


def _same_picture(first: Look, second: Look) -> bool:
    """Compare pixels, which tells two pictures of the dark to be one, then local features."""
    apart = cv2.norm(first.picture.thumbnail, second.picture.thumbnail, cv2.NORM_L1) / first.picture.thumbnail.size
    return apart < _SAME_GREY_LEVELS or same_scene(first.picture, second.picture)
