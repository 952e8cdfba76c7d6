"""What can be asked of a source beside its address."""

from dataclasses import dataclass
from typing import Literal

FOREVER = 2**31
"""As many retries as nobody will ever count."""

Transport = Literal["tcp", "udp"]


@dataclass(frozen=True)
class SourceOptions:
    """Wishes for a source; each kind of source takes those that mean something to it."""

    size: tuple[int, int] | None = None
    """(width, height) in pixels asked of a camera; its own default when None."""
    rate: float | None = None
    """Frames per second asked of a camera, or polls per second of a snapshot address."""
    pixel_format: str | None = None
    """FourCC asked of a V4L2 camera; MJPG when None, and YUYV where that is not offered."""
    transport: Transport = "tcp"
    """How RTSP carries its packets."""
    retries: int | None = None
    """Attempts in a row to open a live source again. None: without end once it was open, but the first must work."""
    frozen_after_s: float = 10.0
    """After so many seconds of one and the same picture a live source counts as frozen; 0 turns the check off."""
    watch: bool = False
    """Wait for new images in a folder once those in it are done."""

    @property
    def retries_at_start(self) -> int:
        """Attempts after the very first one has failed."""
        return 0 if self.retries is None else self.retries

    @property
    def retries_later(self) -> int:
        """Attempts in a row once it has been open."""
        return FOREVER if self.retries is None else self.retries
