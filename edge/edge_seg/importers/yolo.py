"""YOLO segmentation text (https://docs.ultralytics.com/datasets/segment/): one .txt per picture.

    <class> x1 y1 x2 y2 …      one polygon a line, coordinates as shares of width and height

Polygons are drawn as Ultralytics does (cv2.fillPoly on truncated pixels). The names of the classes
come from a data.yaml, classes.txt or obj.names in the folder of the labels or up to two above it.
"""

import math
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np

from edge_seg.errors import AnnotationError
from edge_seg.extras import require_module
from edge_seg.importers.annotations import AnnotatedPicture, AnnotationFile, DrawingStyle, Region
from edge_seg.importers.coordinates import flat_points, floored
from edge_seg.importers.shapes import Polygon, Shape
from edge_seg.importers.streaming import json_object
from edge_seg.importers.wording import shown

_YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml")
_TEXT_NAMES = ("classes.txt", "obj.names", "labels.txt")
_BOX_NUMBERS, _FEWEST_NUMBERS = 4, 6
_LONGEST_YAML = 2**17  # some thousand names; PyYAML takes seconds for more
_LONGEST_LINE = 2**25
_LONGEST_GLANCE = 10_000
_MOST_NUMBERS = 2_000_100  # of one picture: a million points
_NUMBERS_OF_A_REGION = 20  # what memory needs for one beside its points


class Yolo:
    """Ultralytics' label files for segmentation."""

    name = "yolo"
    title = "YOLO segmentation"
    suffixes = frozenset({".txt"})
    label_attribute = "class"

    def recognises(self, path: Path) -> bool:
        """True for a label file: every one of its first lines begins with a class and has shares after it."""
        if path.suffix.lower() != ".txt" or path.name in _TEXT_NAMES:
            return False
        try:
            lines = [line[:_LONGEST_GLANCE].split() for line in islice(_lines(path), 20) if line.strip()]
        except AnnotationError:
            return False
        return all(_is_label(words) for words in lines)

    def read(self, path: Path) -> AnnotationFile:
        """Read one picture's polygons; an empty file is a picture without objects."""
        names = _class_names(path.parent)
        return AnnotationFile(names, _picture(path, names))

    def shape(self, geometry: Any, size: tuple[int, int], style: DrawingStyle, where: str) -> Shape | None:
        """Make a polygon of a line's shares."""
        shares = cast(Sequence[float], geometry)
        if len(shares) == _BOX_NUMBERS:
            if not style.fill_boxes:
                raise AnnotationError(
                    f"{where}: has a box but no outline; fill boxes with  --fill-boxes  or export outlines"
                )
            x, y, width, height = shares
            left, top, right, bottom = x - width / 2, y - height / 2, x + width / 2, y + height / 2
            shares = (left, top, right, top, right, bottom, left, bottom)
        found = flat_points([*shares], "the line", where, shape="polygon", least=3)
        if np.abs(found).max() > _FARTHEST_SHARE:
            raise AnnotationError(
                f"{where}: the coordinate {found.ravel()[np.abs(found).argmax()]:g} is no share of a picture's side, "
                "0 to 1; divide pixels by the picture's width and height"
            )
        return Polygon(floored(found * size + _ROUNDING))


_FARTHEST_SHARE = 2.0  # an outline may lean over the edge, but pixels in place of shares are a mistake
_ROUNDING = 1e-6  # 30/480 of 480 is the pixel 30, whatever the decimals of the file


def _picture(path: Path, names: Sequence[str]) -> Iterator[AnnotatedPicture]:
    regions, numbers = list[Region](), 0
    for line in _lines(path):
        words = line.split(None, _MOST_NUMBERS)
        numbers += len(words) + _NUMBERS_OF_A_REGION
        where = f"{path}: region {len(regions) + 1}"
        if numbers > _MOST_NUMBERS:
            raise AnnotationError(f"{where}: with the lines before it has too many points; simplify or delete some")
        if words:
            regions.append(_region(len(regions) + 1, words, names, where))
    yield AnnotatedPicture(path.with_suffix("").as_posix(), tuple(regions))


def _region(number: int, words: Sequence[str], names: Sequence[str], where: str) -> Region:
    try:
        class_id, shares = int(words[0]), tuple(map(float, words[1:]))
    except ValueError:
        seen = shown(" ".join(words[:4]), 40)
        raise AnnotationError(
            f"{where}: '{seen}' is not a class and shares of the sides; export the labels again"
        ) from None
    if not all(map(math.isfinite, shares)):
        raise AnnotationError(f"{where}: holds a coordinate that is no finite number; correct it")
    if names and not 0 <= class_id < len(names):
        raise AnnotationError(f"{where}: has the class {class_id}, but the names are {len(names)}; correct one of them")
    return Region(number, {"class": names[class_id] if names else f"class_{class_id}"}, shares)


def _is_label(words: Sequence[str]) -> bool:
    try:
        int(words[0])
        shares = [float(word) for word in words[1:]]
    except ValueError:
        return False
    return len(shares) == _BOX_NUMBERS or len(shares) >= _FEWEST_NUMBERS


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            while line := file.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise AnnotationError(f"{path}: has a line of {_LONGEST_LINE >> 20} MB; export the labels again")
                yield line
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise AnnotationError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except UnicodeDecodeError as error:
        raise AnnotationError(f"{path}: is not text in UTF-8 ({shown(error)}); export the labels again") from None


def _class_names(folder: Path) -> tuple[str, ...]:
    for place in (folder, *folder.resolve().parents[:2]):
        for name in _YAML_NAMES:
            if (place / name).is_file():
                return _yaml_names(place / name)
        for name in _TEXT_NAMES:
            if (place / name).is_file():
                return tuple(line.strip() for line in _lines(place / name) if line.strip())
    return ()


def _yaml_names(path: Path) -> tuple[str, ...]:
    require_module("yaml", extra="data", purpose=f"reading {path.name}")
    yaml: Any = import_module("yaml")
    try:
        text = path.read_bytes()[: _LONGEST_YAML + 1]
        names = (json_object(yaml.safe_load(text)) or {}).get("names") if len(text) <= _LONGEST_YAML else None
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise AnnotationError(f"{path}: is not YAML ({shown(' '.join(str(error).split()), 80)}); correct it") from None
    if isinstance(names, dict):
        names = [
            cast(dict[object, object], names).get(index) for index in range(len(cast(dict[object, object], names)))
        ]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast(list[object], names)):
        raise AnnotationError(f"{path}: its 'names' are no list of class names; correct it")
    return tuple(cast(list[str], names))
