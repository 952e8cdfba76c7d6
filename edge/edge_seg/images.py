"""Images and masks between files and arrays. RGB everywhere; BGR exists only at OpenCV's boundary."""

import stat
import struct
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from edge_seg.errors import ImageError
from edge_seg.files import atomic_path, write_bytes

RgbImage: TypeAlias = NDArray[np.uint8]
"""[height, width, 3] uint8, RGB."""

ClassMap: TypeAlias = NDArray[np.uint8]
"""[height, width] uint8, one class id per pixel."""

LARGEST_PICTURE_PIXELS = 25 * 2**20
"""26 megapixels; decoding takes up to 16 bytes for each (WEBP), and two processes are to stay below a gigabyte."""

LARGEST_JPEG_PIXELS = 48 * 2**20
"""50 megapixels, as telephones take them; a JPEG that is not progressive takes 10 bytes for each."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})

IMAGE_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")  # Pillow would run Ghostscript on a PostScript file

_UNNAMED_COLOUR = (224, 224, 192)  # of ids without a class, as PASCAL VOC draws "void"
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTER_TURNS = frozenset({5, 6, 7, 8})
# What Pillow's decoders raise on malformed files, beside the OSError and SyntaxError they are meant to.
DECODING_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, struct.error, zlib.error, Image.DecompressionBombError),
)
_SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_image(path: Path | str) -> RgbImage:
    """Decode any image to RGB uint8 [height, width, 3].

    Handles RGBA and palettes (transparency over black), grey, 16-bit, CMYK, EXIF orientation,
    the first frame of GIF and WEBP; the format is told by content, not by suffix.

    Raises:
        ImageError: no such file, not an image, or truncated.
    """
    with _opened(Path(path)) as image:
        return _upright_rgb(image)


def decode_image(data: bytes, name: str) -> RgbImage:
    """Decode the bytes of an image file as `read_image` does the file; errors call it `name`.

    Raises:
        ImageError: not an image, or truncated.
    """
    with _decoded(BytesIO(data), name) as image:
        return _upright_rgb(image)


def read_mask(path: Path | str) -> ClassMap:
    """Decode a mask file to class ids, uint8 [height, width]; palette indices are taken as ids.

    Raises:
        ImageError: unreadable, or not one byte per pixel (an RGB mask has no ids).
    """
    with _opened(Path(path)) as image:
        if image.mode not in ("L", "P", "1"):
            raise ImageError(
                f"{path}: a mask holds one byte per pixel (mode L or P), this one has mode {image.mode}; "
                "save it as a grey or palette PNG, or name its colours with  --map '#000000=background,#ff0000=fire'"
            )
        if image.mode == "1":
            return np.asarray(image).astype(np.uint8)
        return np.array(image, dtype=np.uint8)


@dataclass(frozen=True)
class PictureSize:
    """A picture's size as (width, height): as its file stores it, and upright as EXIF turns it.

    `orientation` is EXIF's tag 0x0112, 1 to 8.
    """

    stored: tuple[int, int]
    upright: tuple[int, int]
    orientation: int


def decoded_size(path: Path) -> PictureSize:
    """Decode a picture and return its size; the pixels are not kept.

    Raises:
        ImageError: as `read_image`.
    """
    with _opened(path) as image:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        width, height = image.size
        turned = orientation in _QUARTER_TURNS
        return PictureSize((width, height), (height, width) if turned else (width, height), orientation)


def upright_mask(mask: ClassMap, orientation: int) -> ClassMap:
    """Turn and mirror a mask as `read_image` does the picture of that EXIF orientation, 1 to 8."""
    method = _UPRIGHT.get(orientation)
    return mask if method is None else np.asarray(Image.fromarray(mask).transpose(method))


def mask_mode(path: Path) -> str:
    """Return Pillow's mode of an image file: "L" grey, "P" palette, "1" black and white, "RGB" and so on.

    Raises:
        ImageError: no such file, or not an image.
    """
    with _opened(path, decode=False) as image:
        return image.mode


def write_mask(path: Path, class_map: ClassMap, colours: list[tuple[int, int, int]] | None = None) -> None:
    """Write class ids as PNG, one byte per pixel; with `colours` as a palette image.

    Raises:
        ImageError: the file cannot be written.
    """
    with _writing(path):
        write_bytes(path, encode_mask(class_map, colours))


def encode_mask(class_map: ClassMap, colours: list[tuple[int, int, int]] | None = None) -> bytes:
    """Return the bytes that `write_mask` writes."""
    image = Image.fromarray(class_map)
    if colours:
        # All 256 entries: Pillow would store fewer bits for a shorter palette and cut off the ignore id.
        padded = [*colours, *[_UNNAMED_COLOUR] * (256 - len(colours))]
        image.putpalette([channel for colour in padded for channel in colour])
    # Run lengths alone: for flat colours smaller than the default, in less than half its time.
    encoded = BytesIO()
    image.save(encoded, "PNG", compress_type=zlib.Z_RLE)
    return encoded.getvalue()


def encode_jpeg(image: RgbImage, quality: int, sampling: int = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420) -> bytes:
    """Encode [height, width, 3] uint8 RGB as JPEG.

    Args:
        image: left untouched.
        quality: 0 to 100.
        sampling: of the colour planes, one of cv2's IMWRITE_JPEG_SAMPLING_FACTOR_*.
    """
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)[1].tobytes()


def check_image_suffix(path: Path) -> None:
    """Raise ImageError unless the suffix names a format that pictures can be written in."""
    if path.suffix.lower() not in Image.registered_extensions():
        raise ImageError(f"{path}: its suffix '{path.suffix}' names no image format; give .png or .jpg")


def write_image(path: Path, image: RgbImage) -> None:
    """Write an RGB image; the suffix names the format.

    Raises:
        ImageError: the file cannot be written.
    """
    with _writing(path), atomic_path(path) as temporary:
        Image.fromarray(image).save(temporary)


@contextmanager
def _opened(path: Path, *, decode: bool = True) -> Generator[Image.Image]:
    """Open an image file; every way it can be at fault becomes one ImageError."""
    try:
        _refuse_pipe(path)
        with path.open("rb") as file, _decoded(file, path, decode=decode) as image:
            yield image
    except FileNotFoundError:
        raise ImageError(f"{path}: no such image; check the path") from None
    except OSError as error:
        raise _not_decodable(path, error) from None


@contextmanager
def _decoded(file: BinaryIO, name: Path | str, *, decode: bool = True) -> Generator[Image.Image]:
    """Open an image in a stream of bytes; errors call it `name`."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=IMAGE_FORMATS) as image:
            _refuse_bomb(image, name)
            if decode:
                image.load()
            yield image
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image that can be decoded ({_head(file)}); replace it") from None
    except DECODING_ERRORS as error:
        raise _not_decodable(name, error) from None


def _not_decodable(name: Path | str, error: BaseException) -> ImageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(f"{name}: cannot be decoded ({reason:.120}); replace the file")


def _refuse_pipe(path: Path) -> None:
    """Opening a pipe would wait, beyond the reach of Ctrl-C, for somebody who writes."""
    if stat.S_ISFIFO(path.stat().st_mode):
        raise ImageError(f"{path}: is a pipe, not a file; name an image file")


def _refuse_bomb(image: Image.Image, name: Path | str) -> None:
    width, height = image.size
    plain_jpeg = image.format == "JPEG" and "progressive" not in image.info
    largest = LARGEST_JPEG_PIXELS if plain_jpeg else LARGEST_PICTURE_PIXELS
    if width * height > largest:
        raise ImageError(
            f"{name}: is {width}×{height}, more than the {largest / 1e6:.0f} megapixels that are read; scale it down"
        )


def _head(file: BinaryIO) -> str:
    file.seek(0)
    first = file.read(8)
    return f"it begins with {first!r}" if first else "it is empty"


def _upright_rgb(image: Image.Image) -> RgbImage:
    ImageOps.exif_transpose(image, in_place=True)
    return np.array(_to_rgb(image), dtype=np.uint8)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT_MODES:
        return _sixteen_to_eight_bit(image).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        black = Image.new("RGB", rgba.size)
        black.paste(rgba, mask=rgba)
        return black
    return image if image.mode == "RGB" else image.convert("RGB")


def _sixteen_to_eight_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    shift = 8 if values.size and values.max() > 255 else 0
    return Image.fromarray(np.clip(values >> shift, 0, 255).astype(np.uint8))


@contextmanager
def _writing(path: Path) -> Generator[None]:
    check_image_suffix(path)
    try:
        yield
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be written ({error}); check the disk and the suffix") from None
