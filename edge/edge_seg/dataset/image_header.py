"""What an image file says of itself, without decoding it."""

import re
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

ID_MODES = ("L", "P", "1")
"""Modes whose one byte per pixel is taken as the class id."""

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
"""What Pillow raises for files that are no picture, or a damaged or gigantic one."""

_SIGNATURES = {
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "JPEG": rb"\xff\xd8\xff",
    "GIF": rb"GIF8[79]a",
    "WEBP": rb"RIFF....WEBP",
    "BMP": rb"BM",
    "TIFF": rb"II\*\0|MM\0\*",
}
_SUFFIXES = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_SAME_FORMATS = {"MPO": "JPEG"}  # cameras write several JPEGs into one .jpg
_LYING_ORIENTATIONS = frozenset({5, 6, 7, 8})  # Exif 2.32, table 7: those that exchange the sides


@dataclass(frozen=True)
class Header:
    """What an image file says of itself.

    Attributes:
        format: as Pillow calls it, "JPEG" or "PNG".
        mode: as Pillow calls it, "RGB" or "P".
        stored_size: width and height in pixels, as stored.
        orientation: of Exif, 1 to 8; 1 is upright.
    """

    format: str
    mode: str
    stored_size: tuple[int, int]
    orientation: int

    @property
    def lies(self) -> bool:
        """True when the picture is stored on its side, and turned when it is shown."""
        return self.orientation in _LYING_ORIENTATIONS

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as shown."""
        return (self.stored_size[1], self.stored_size[0]) if self.lies else self.stored_size


def told_format(path: Path) -> str | None:
    """Tell the format of an image file by its first bytes, as Pillow calls it; None if they tell none."""
    try:
        with path.open("rb") as file:
            first = file.read(12)
    except OSError:
        return None
    return next((name for name, signature in _SIGNATURES.items() if re.match(signature, first, re.DOTALL)), None)


def promised_format(path: Path) -> str | None:
    """Return the format that the suffix of an image file promises, as Pillow calls it."""
    return _SUFFIXES.get(path.suffix.lower())


def read_header(path: Path) -> Header | None:
    """Read what an image file says of itself; None for what cannot be read as an image."""
    try:
        with opened(path) as image:
            name = image.format or ""
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            return Header(_SAME_FORMATS.get(name, name), image.mode, image.size, orientation)
    except UNREADABLE:
        return None


@contextmanager
def opened(path: Path) -> Generator[Image.Image]:
    """Open an image file of a format that photographs and masks have, silent about its oddities.

    Pillow knows many more, and runs a program on files of one of them (EPS).

    Raises:
        OSError, SyntaxError, ValueError, DecompressionBombError: those of UNREADABLE.
    """
    with warnings.catch_warnings(action="ignore"), Image.open(path, formats=tuple(_SIGNATURES)) as image:
        yield image
