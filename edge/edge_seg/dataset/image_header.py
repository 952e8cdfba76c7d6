"""What an image file says of itself, without decoding it."""

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

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")  # of the others, one runs a program on the file (EPS)
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

    def fits_suffix(self, path: Path) -> bool:
        """Tell whether the name promises this format; one that promises none fits all."""
        return Image.registered_extensions().get(path.suffix.lower(), self.format) == self.format


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
    """Open an image file, silent about its oddities.

    Raises:
        OSError, SyntaxError, ValueError, DecompressionBombError: those of UNREADABLE.
    """
    with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS) as image:
        yield image
