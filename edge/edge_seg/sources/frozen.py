"""Noticing a camera that keeps sending one and the same picture."""

import zlib
from enum import Enum, auto

from edge_seg.images import RgbImage

_LOOK_EVERY_S = 0.5
_EVERY_NTH_ROW = 8
_LONGEST_LIMIT_S = 3600.0


class Verdict(Enum):
    """What the newest picture says."""

    MOVING = auto()
    """It changed lately, or it is too early to tell."""
    FROZEN = auto()
    """The same for too long: worth opening the source again."""
    STILL = auto()
    """The same even after opening again: a still scene, or beyond help. Given once."""


class FrozenCheck:
    """Compares pictures twice a second by a checksum of some rows; noise makes those of a working camera differ.

    A dark room or a test picture may stand still for good reason: when opening the source again
    changed nothing, the next time takes twice as long.
    """

    def __init__(self, limit_s: float) -> None:
        self._base_limit_s = self._limit_s = limit_s
        self._checksum: int | None = None
        self._looked_s, self._since_s = float("-inf"), 0.0
        self._opened_again = self._told = self._fresh = False

    def opened(self) -> None:
        """Take note that the source was opened again: its silence till now is no standing still."""
        self._fresh = True

    def look(self, image: RgbImage, now_s: float) -> Verdict:
        """Look at a picture taken at `now_s` (any monotonic clock)."""
        if self._base_limit_s <= 0 or (not self._fresh and now_s - self._looked_s < _LOOK_EVERY_S):
            return Verdict.MOVING
        self._looked_s = now_s
        checksum = zlib.crc32(image[::_EVERY_NTH_ROW].tobytes())
        if checksum != self._checksum:
            self._change(checksum, now_s)
            return Verdict.MOVING
        if self._fresh:
            self._fresh, self._since_s = False, now_s
        return self._verdict() if now_s - self._since_s >= self._limit_s else Verdict.MOVING

    def _change(self, checksum: int, now_s: float) -> None:
        if self._fresh and self._opened_again:
            self._limit_s = self._base_limit_s  # opening again has helped
        self._checksum, self._since_s = checksum, now_s
        self._opened_again = self._told = self._fresh = False

    def _verdict(self) -> Verdict:
        if not self._opened_again:
            self._opened_again = True
            self._limit_s = min(2 * self._limit_s, _LONGEST_LIMIT_S)
            return Verdict.FROZEN
        if not self._told:
            self._told = True
            return Verdict.STILL
        return Verdict.MOVING
