"""What a data set holds, in figures: how much of each class, where, in how large pieces, on what pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_seg.classes import SegmentationClass
from edge_seg.dataset.folder import SPLITS, Dataset, Sample, check_pair
from edge_seg.errors import DatasetError, ImageError
from edge_seg.images import IMAGE_FORMATS, ClassMap, read_mask
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked

AREA_EDGES = (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Edges of the area histograms: shares of a picture, about half a decade apart."""

LOCATION_CELLS = 32
"""Cells of a location map along either side."""

_EXIF_ORIENTATION, _LYING_ORIENTATIONS = 0x0112, (5, 6, 7, 8)  # Exif 2.32, table 7


@dataclass(frozen=True)
class ClassStatistics:
    """One class in one group of pictures.

    Attributes:
        pictures: how many pictures hold it.
        pixel_share: its share of all pixels that are not ignored, 0 to 1.
        share_where_present: the same over the pictures that hold it.
        median_area_px: median over the pictures that hold it of its area in pixels.
        median_area_share: median over the pictures that hold it of its share of the picture.
        objects: connected pieces (8-neighbours); None for a background.
        area_histogram: pictures that hold it by its share of the picture, in the bins of AREA_EDGES.
    """

    pictures: int
    pixel_share: float
    share_where_present: float
    median_area_px: float
    median_area_share: float
    objects: int | None
    area_histogram: tuple[int, ...]


@dataclass(frozen=True)
class GroupStatistics:
    """A split, or all of them together; `classes` go by name, in the order of their ids."""

    pictures: int
    ignored_share: float
    classes: Mapping[str, ClassStatistics]


@dataclass(frozen=True)
class Spread:
    """The least, the middle and the greatest of some values."""

    minimum: float
    median: float
    maximum: float


@dataclass(frozen=True)
class PictureStatistics:
    """Sizes and formats of the pictures; `sizes` are (width, height, pictures), the most frequent first."""

    width_px: Spread
    height_px: Spread
    aspect_ratio: Spread
    sizes: tuple[tuple[int, int, int], ...]
    formats: Mapping[str, int]


@dataclass(frozen=True)
class DatasetStatistics:
    """All figures of a data set.

    Attributes:
        splits: by name, in the order train, val, test.
        whole: all splits together.
        pictures: sizes and formats.
        locations: the mean share of each class in each cell of all pictures, every picture stretched
            to a square; float32 [classes, LOCATION_CELLS, LOCATION_CELLS], 0 to 1.
    """

    splits: Mapping[str, GroupStatistics]
    whole: GroupStatistics
    pictures: PictureStatistics
    locations: NDArray[np.float32]


@dataclass(frozen=True)
class PictureFigures:
    """What is kept of one picture: `pixels` and `objects` are int64 [classes], `ignored` is in pixels."""

    image_format: str
    width: int
    height: int
    pixels: NDArray[np.int64]
    objects: NDArray[np.int64]
    ignored: int


def measure_dataset(dataset: Dataset, *, track: Track = untracked) -> DatasetStatistics:
    """Read every mask and every picture's header once, on all cores.

    Raises:
        DatasetError: no split, one that is empty or names an absent file, or a mask that does not fit.
        ImageError: a file that cannot be decoded.
    """
    samples = {split: dataset.samples(split) for split in SPLITS if dataset.has_split(split)}
    listed = list(chain.from_iterable(samples.values()))
    if not listed:
        raise DatasetError(f"{dataset.folder / 'splits'}: lists no picture; divide the pictures into splits first")
    measured = map_in_processes(partial(_measure, dataset=dataset), listed)
    figures: list[PictureFigures] = []
    locations = np.zeros((len(dataset.classes), LOCATION_CELLS, LOCATION_CELLS), np.float32)
    for of_picture, cells in track(measured, total=len(listed)):
        figures.append(of_picture)
        for class_id, shares in cells.items():
            locations[class_id] += shares / np.float32(255)
    remaining = iter(figures)
    groups = {split: summarise([next(remaining) for _ in group], dataset.classes) for split, group in samples.items()}
    whole = summarise(figures, dataset.classes)
    return DatasetStatistics(groups, whole, summarise_pictures(figures), locations / np.float32(len(figures)))


def summarise(figures: Sequence[PictureFigures], classes: Sequence[SegmentationClass]) -> GroupStatistics:
    """Sum up the classes of some pictures, at least one."""
    pixels = np.stack([item.pixels for item in figures])
    objects = np.sum([item.objects for item in figures], axis=0)
    labelled, ignored = int(pixels.sum()), sum(item.ignored for item in figures)
    areas = np.array([item.width * item.height for item in figures])
    by_class = {
        item.name: _summarise_class(
            pixels[:, item.id], pixels.sum(axis=1), areas, None if item.is_background else int(objects[item.id])
        )
        for item in classes
    }
    return GroupStatistics(len(figures), ignored / (labelled + ignored), by_class)


def _summarise_class(
    pixels: NDArray[np.int64], labelled: NDArray[np.int64], areas: NDArray[np.int64], objects: int | None
) -> ClassStatistics:
    """Sum up one class; all arrays are [pictures], in pixels."""
    held = pixels > 0
    shares = pixels[held] / areas[held]
    return ClassStatistics(
        pictures=int(held.sum()),
        pixel_share=float(pixels.sum() / max(1, labelled.sum())),
        share_where_present=float(pixels.sum() / max(1, labelled[held].sum())),
        median_area_px=float(np.median(pixels[held])) if held.any() else 0.0,
        median_area_share=float(np.median(shares)) if held.any() else 0.0,
        objects=objects,
        area_histogram=tuple(np.histogram(shares, AREA_EDGES)[0].tolist()),
    )


def summarise_pictures(figures: Sequence[PictureFigures]) -> PictureStatistics:
    """Sum up the sizes and formats of some pictures, at least one."""
    widths, heights = (np.array([getattr(item, side) for item in figures]) for side in ("width", "height"))
    sizes = Counter((item.width, item.height) for item in figures)
    return PictureStatistics(
        width_px=_spread(widths),
        height_px=_spread(heights),
        aspect_ratio=_spread(widths / heights),
        sizes=tuple((width, height, count) for (width, height), count in sizes.most_common()),
        formats=dict(Counter(item.image_format for item in figures).most_common()),
    )


def count_objects(mask: ClassMap, class_id: int) -> int:
    """Count the connected pieces of a class; pixels that touch at a corner are connected."""
    where = np.asarray(mask == class_id, np.uint8)
    return cv2.connectedComponents(where, connectivity=8)[0] - 1


def locate(mask: ClassMap, class_id: int) -> NDArray[np.uint8]:
    """Return the share of a class in each cell of the mask, uint8 [LOCATION_CELLS, LOCATION_CELLS], 255 for all."""
    where = np.where(mask == class_id, np.uint8(255), np.uint8(0))
    grid = cv2.resize(where, (LOCATION_CELLS, LOCATION_CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(grid, np.uint8)


def _measure(sample: Sample, *, dataset: Dataset) -> tuple[PictureFigures, dict[int, NDArray[np.uint8]]]:
    """Return what is kept of one picture, and where in it each class lies that it holds."""
    image_format, width, height = _header(sample.image_path)
    mask = read_mask(sample.mask_path)
    undecoded = np.broadcast_to(np.uint8(0), (height, width, 3))
    check_pair(undecoded, mask, sample.mask_path, len(dataset.classes), dataset.ignore_id)
    counts = np.bincount(mask.ravel(), minlength=256)
    pixels = counts[: len(dataset.classes)].astype(np.int64)
    present = [item for item in dataset.classes if pixels[item.id]]
    objects = np.zeros_like(pixels)
    for item in present:
        objects[item.id] = 0 if item.is_background else count_objects(mask, item.id)
    kept = PictureFigures(image_format, width, height, pixels, objects, int(counts[dataset.ignore_id]))
    return kept, {item.id: locate(mask, item.id) for item in present}


def _header(path: Path) -> tuple[str, int, int]:
    """Return an image's format, and its width and height as it is shown, without decoding it."""
    try:
        with Image.open(path, formats=IMAGE_FORMATS) as image:
            width, height = image.size
            lies = image.getexif().get(_EXIF_ORIENTATION) in _LYING_ORIENTATIONS
            return image.format or "unknown", *((height, width) if lies else (width, height))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path}: is not an image that can be read ({error}); replace it") from None


def _spread(values: NDArray[np.float64]) -> Spread:
    return Spread(float(values.min()), float(np.median(values)), float(values.max()))
