"""Looking at a data set: choosing pictures, and showing them with their masks on a sheet or a page."""

import io
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edge_seg.classes import SegmentationClass
from edge_seg.contact_sheet import contact_sheet, tile
from edge_seg.dataset import Dataset, Sample
from edge_seg.drawing import DEFAULT_OPACITY, draw_overlay
from edge_seg.errors import DatasetError
from edge_seg.files import write_text
from edge_seg.images import ClassMap, RgbImage, write_image
from edge_seg.pages import data_uri, embedded, render, shrunk
from edge_seg.resampling import shrink_mask

_IGNORED_RGB = (224, 224, 192)  # as PASCAL VOC draws "void"
_SHARPNESS = 2  # pixels in the file per pixel on the page: screens are dense, and pages are zoomed


@dataclass(frozen=True)
class Layer:
    """One class of one picture: `image` is a PNG data URI, the class's colour where it is and nothing elsewhere."""

    key: str
    name: str
    colour: str
    share: float
    image: str


@dataclass(frozen=True)
class Figure:
    """One picture of the page, with a layer for every class it holds that overlays draw."""

    name: str
    aspect: float
    """Width over height."""
    image: str
    layers: tuple[Layer, ...]


def draw_samples(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    """Draw `count` samples at random, or all there are; sorted by name."""
    chosen = random.Random(seed).sample(samples, min(count, len(samples)))
    return sorted(chosen, key=lambda sample: sample.name)


def draw_samples_of_class(
    dataset: Dataset, samples: Sequence[Sample], item: SegmentationClass, count: int, seed: int
) -> list[Sample]:
    """Draw `count` samples at random among those that hold a class; sorted by name.

    Masks are read until enough are found.

    Raises:
        DatasetError: none of the samples holds the class.
        ImageError: a mask that cannot be decoded.
    """
    shuffled = random.Random(seed).sample(samples, len(samples))
    holding = (sample for sample in shuffled if (dataset.read_mask(sample) == item.id).any())
    chosen = sorted(islice(holding, count), key=lambda sample: sample.name)
    if not chosen:
        raise DatasetError(f"none of the {len(samples)} pictures holds the class '{item.name}'; try another split")
    return chosen


def find_samples(samples: Iterable[Sample], names: Sequence[str]) -> list[Sample]:
    """Return the samples of these file names, in the order of the names.

    Raises:
        DatasetError: a name that no sample has.
    """
    by_name = {sample.name: sample for sample in samples}
    for name in names:
        if name not in by_name:
            raise DatasetError(f"'{name}' is in no split of the data set; write the file name as the split lists do")
    return [by_name[name] for name in names]


def find_class(dataset: Dataset, name: str) -> SegmentationClass:
    """Return the class of this name.

    Raises:
        DatasetError: there is none; the sentence names those that there are.
    """
    for item in dataset.classes:
        if item.name == name:
            return item
    raise DatasetError(f"'{name}' is no class; this data set has {', '.join(dataset.manifest.class_names)}")


def write_sheet(path: Path, dataset: Dataset, samples: Iterable[Sample], columns: int, tile_width: int) -> None:
    """Write a contact sheet of overlays; the suffix names the format.

    Raises:
        ImageError: a picture cannot be read, or the sheet cannot be written.
    """
    tiles: list[RgbImage] = []
    names: list[str] = []
    for sample in samples:
        tiles.append(tile(draw_overlay(*dataset.read(sample), dataset.classes), tile_width))
        names.append(sample.name)
    write_image(path, contact_sheet(tiles, min(columns, len(tiles)), tile_width, names, dataset.classes))


def write_page(path: Path, dataset: Dataset, samples: Iterable[Sample], columns: int, tile_width: int) -> None:
    """Write an HTML page of pictures whose masks can be switched off, by class or by pointing at a picture.

    Raises:
        ImageError: a picture cannot be read.
    """
    figures = [figure(dataset, sample, _SHARPNESS * tile_width) for sample in samples]
    legend = {layer.key: layer for item in figures for layer in item.layers}
    page = render(
        "preview.html",
        manifest=dataset.manifest,
        figures=figures,
        typical_aspect=float(np.median([item.aspect for item in figures])),
        legend=[legend[key] for key in sorted(legend, key=lambda key: int(key[1:]))],
        columns=columns,
        opacity=DEFAULT_OPACITY,
    )
    write_text(path, page)


def figure(dataset: Dataset, sample: Sample, widest: int) -> Figure:
    """Read a sample and make its figure, no wider than `widest` pixels."""
    image, mask = dataset.read(sample)
    image = shrunk(image, widest)
    height, width = image.shape[:2]
    return Figure(sample.name, width / height, embedded(image), tuple(_layers(dataset, mask, height, width)))


def _layers(dataset: Dataset, mask: ClassMap, height: int, width: int) -> Iterator[Layer]:
    shares = np.bincount(mask.ravel(), minlength=256) / mask.size
    small = shrink_mask(mask, height, width)
    drawn = [(item.id, item.name, item.rgb) for item in dataset.classes if not item.is_background]
    for value, name, rgb in (*drawn, (dataset.ignore_id, "ignored", _IGNORED_RGB)):
        if shares[value]:
            colour = "#{:02x}{:02x}{:02x}".format(*rgb)
            yield Layer(f"c{value}", name, colour, float(shares[value]), _stencil(small == value, rgb))


def _stencil(where: NDArray[np.bool_], rgb: tuple[int, int, int]) -> str:
    """Return a one-bit PNG as a data URI: a colour where `where` is true, transparent elsewhere."""
    image = Image.fromarray(where.astype(np.uint8)).convert("P")
    image.putpalette([0, 0, 0, *rgb])
    encoded = io.BytesIO()
    image.save(encoded, "PNG", bits=1, transparency=0, optimize=True)
    return data_uri(encoded.getvalue(), ".png")
