"""What the values or colours of foreign masks mean."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from edge_seg.classes import IGNORE_ID, IGNORE_NAME
from edge_seg.errors import AnnotationError, DatasetError
from edge_seg.images import ClassMap, RgbImage, mask_mode, read_image, read_mask
from edge_seg.importers.wording import shown

Rgb: TypeAlias = tuple[int, int, int]

_PIXELS_AT_ONCE = 4_000_000


class MaskMap(Protocol):
    """Reads a foreign mask as class ids."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names in the order of their ids."""
        ...

    def read(self, path: Path) -> ClassMap:
        """Read a mask file as class ids, uint8 [h, w].

        Raises:
            AnnotationError: a value or colour without a meaning.
            ImageError: a file that cannot be decoded, or has no values.
        """
        ...


@dataclass(frozen=True)
class ValueMap:
    """Which class id each value of a grey or palette mask becomes."""

    class_names: tuple[str, ...]
    ids: Mapping[int, int]

    def read(self, path: Path) -> ClassMap:
        """Read a mask of one byte per pixel as class ids."""
        return self.apply(read_mask(path), path)

    def apply(self, mask: ClassMap, mask_path: Path) -> ClassMap:
        """Translate a mask (uint8 [h, w]) to class ids; `mask_path` is for the error alone.

        Raises:
            AnnotationError: the mask holds a value that the map does not name.
        """
        present = np.flatnonzero(np.bincount(mask.ravel(), minlength=256))
        for value in present.tolist():
            if value not in self.ids:
                known = ", ".join(str(item) for item in sorted(self.ids))
                raise AnnotationError(
                    f"{mask_path}: holds the value {value}, but --map names only {known}; "
                    f"add {value}=NAME or {value}={IGNORE_NAME} to --map"
                )
        table = np.full(256, IGNORE_ID, np.uint8)
        table[list(self.ids)] = list(self.ids.values())
        return table[mask]


@dataclass(frozen=True)
class ColourMap:
    """Which class id each colour of an RGB or palette mask becomes."""

    class_names: tuple[str, ...]
    ids: Mapping[Rgb, int]

    def read(self, path: Path) -> ClassMap:
        """Read a coloured mask as class ids."""
        return self.apply(read_image(path), path)

    def apply(self, image: RgbImage, mask_path: Path) -> ClassMap:
        """Translate an RGB mask (uint8 [h, w, 3]) to class ids; `mask_path` is for the error alone.

        Raises:
            AnnotationError: the mask holds a colour that the map does not name.
        """
        codes = np.array(sorted(map(_code, self.ids)), np.uint32)
        ids = np.array([self.ids[_colour(int(code))] for code in codes], np.uint8)
        class_map = np.empty(image.shape[:2], np.uint8)
        for rows in _strips(*image.shape[:2]):
            packed = image[rows].astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
            places = np.minimum(np.searchsorted(codes, packed), len(codes) - 1)
            strange = packed[codes[places] != packed]
            if strange.size:
                found = f"#{int(strange[0]):06x}"
                raise AnnotationError(
                    f"{mask_path}: holds the colour {found}, but the map names only "
                    f"{', '.join(f'#{int(code):06x}' for code in codes[:12])}; add '{found}=NAME' or "
                    f"'{found}={IGNORE_NAME}' to --map, and keep masks as PNG, since JPEG changes colours"
                )
            class_map[rows] = ids[places]
        return class_map


@dataclass(frozen=True)
class VocMap:
    """Pascal VOC's 21 classes, by colour or, in grey masks, by number (Everingham et al., IJCV 2010)."""

    class_names: tuple[str, ...]

    def read(self, path: Path) -> ClassMap:
        """Read a VOC mask, coloured, indexed or grey, as class ids; its void becomes the ignore id."""
        void = _voc_colour(IGNORE_ID)
        by_number = {index: index for index in range(len(self.class_names))} | {IGNORE_ID: IGNORE_ID}
        if mask_mode(path) in ("L", "1"):
            return ValueMap(self.class_names, by_number).read(path)
        colours = {_voc_colour(index): index for index in range(len(self.class_names))} | {void: IGNORE_ID}
        return ColourMap(self.class_names, colours).read(path)


_VOC_NAMES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
VOC = VocMap(_VOC_NAMES)
TRIMAP = ValueMap(("pet", "background", "border"), {1: 0, 2: 1, 3: 2})
"""Oxford-IIIT Pet's trimaps (Parkhi et al., CVPR 2012)."""


def _voc_colour(index: int) -> Rgb:
    """Spread an index's bits over the high bits of red, green and blue, as VOC's development kit does."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
    red, green, blue = channels
    return red, green, blue


def parse_mask_map(text: str) -> ValueMap | ColourMap:
    """Read `1=pet,2=background,3=border` or `#000000=background,#ff0000=fire`.

    Ids count from 0 in the order names first appear. Two entries may share a name; the name `ignore`
    becomes the ignore id.

    Raises:
        DatasetError: not VALUE=NAME, a value outside 0 to 255, one given twice, values mixed with
            colours, or no class at all.
    """
    entries = [_parse_entry(entry) for entry in text.split(",")]
    keys = [key for key, _ in entries]
    if repeated := [key for key in keys if keys.count(key) > 1]:
        raise DatasetError(f"the map '{shown(text)}' gives {_shown(repeated[0])} twice; keep one of them")
    names = tuple(dict.fromkeys(name for _, name in entries if name != IGNORE_NAME))
    if not names:
        raise DatasetError(f"the map '{shown(text)}' names no class; write for example 0=background,1=pet")
    ids = {key: IGNORE_ID if name == IGNORE_NAME else names.index(name) for key, name in entries}
    values = {key: found for key, found in ids.items() if isinstance(key, int)}
    colours = {key: found for key, found in ids.items() if not isinstance(key, int)}
    if values and colours:
        raise DatasetError(f"the map '{shown(text)}' mixes values and colours; write either 1=pet or #ff0000=pet")
    return ValueMap(names, values) if values else ColourMap(names, colours)


def read_colour_file(path: Path) -> ColourMap:
    """Read a list of classes with their colours, one a line: a name and three numbers.

    CVAT's labelmap.txt (`cat:128,0,0::`), CamVid's (`128 0 0 cat`) and CSV (`cat,128,0,0`) are such lists.

    Raises:
        DatasetError: not readable, or a line without a name and three numbers up to 255.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read as a list of colours ({shown(error)}); check the path") from None
    found = [_parse_colour_line(line, path) for line in lines if line.strip() and not line.startswith("#")]
    found = [entry for entry in found if entry is not None]
    if not found:
        raise DatasetError(f"{path}: names no colour; write a name and three numbers a line, as  cat 128,0,0")
    names = tuple(dict.fromkeys(name for name, _ in found if name != IGNORE_NAME))
    ids = {colour: IGNORE_ID if name == IGNORE_NAME else names.index(name) for name, colour in found}
    return ColourMap(names, ids)


_COLOUR_LINE = re.compile(
    r"^\s*(?P<first>.*?)[\s,:;]*\b(\d{1,3})[\s,;]+(\d{1,3})[\s,;]+(\d{1,3})\b[\s,:;]*(?P<last>.*?)\s*$"
)


def _parse_colour_line(line: str, path: Path) -> tuple[str, Rgb] | None:
    match = _COLOUR_LINE.match(line)
    if match is None and not any(character.isdigit() for character in line):
        return None  # the heading of a CSV file
    name = (match["first"] or match["last"]).strip(" ,:;") if match else ""
    red, green, blue = (int(match[group]) for group in (2, 3, 4)) if match else (256, 0, 0)
    if not name or max(red, green, blue) > 255:
        raise DatasetError(f"{path}: '{shown(line)}' is not a name and three numbers up to 255, as  cat 128,0,0")
    return name, (red, green, blue)


def _parse_entry(entry: str) -> tuple[int | Rgb, str]:
    value, equals, name = (part.strip() for part in entry.partition("="))
    if equals and name and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        return _colour(int(value[1:], 16)), name
    if not (equals and name and value.isascii() and value.isdigit() and len(value) < 4 and int(value) <= 255):
        raise DatasetError(
            f"'{shown(entry)}' is not VALUE=NAME with a value from 0 to 255 or a colour #RRGGBB; "
            "write for example 1=pet"
        )
    return int(value), name


def _strips(height: int, width: int) -> Iterator[slice]:
    step = max(1, _PIXELS_AT_ONCE // max(1, width))
    for top in range(0, height, step):
        yield slice(top, top + step)


def _code(colour: Rgb) -> int:
    red, green, blue = colour
    return red << 16 | green << 8 | blue


def _colour(code: int) -> Rgb:
    return code >> 16, code >> 8 & 255, code & 255


def _shown(key: int | Rgb) -> str:
    return f"the value {key}" if isinstance(key, int) else f"the colour #{_code(key):06x}"
