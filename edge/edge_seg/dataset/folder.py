"""Reading a data set folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_seg.classes import SegmentationClass
from edge_seg.dataset.manifest import Manifest, read_manifest
from edge_seg.errors import DatasetError
from edge_seg.images import ClassMap, RgbImage, read_image, read_mask

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Sample:
    """One picture and its mask, as files."""

    image_path: Path
    mask_path: Path

    @property
    def name(self) -> str:
        """The image's file name, as the split lists write it."""
        return self.image_path.name


@dataclass(frozen=True)
class Dataset:
    """An opened data set folder. Nothing is decoded until it is asked for."""

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> "Dataset":
        """Open `folder`.

        Raises:
            DatasetError: no dataset.toml, or one that does not keep its schema.
        """
        return cls(folder, read_manifest(folder))

    @property
    def classes(self) -> tuple[SegmentationClass, ...]:
        """The classes in the order of their ids."""
        return self.manifest.classes

    @property
    def ignore_id(self) -> int:
        """The mask value that neither trains nor scores."""
        return self.manifest.ignore_id

    def samples(self, split: str) -> Sequence[Sample]:
        """List the samples of one split, in the order of its file.

        Raises:
            DatasetError: no such split, an empty one, or a name without image or mask.
        """
        path = self.folder / "splits" / f"{split}.txt"
        if not path.is_file():
            raise DatasetError(f"{path}: no such split; this data set has {self._split_names() or 'none'}")
        names = [line.strip() for line in _read_list(path).splitlines() if line.strip()]
        if not names:
            raise DatasetError(f"{path}: names no image; write one file name per line")
        return [self._sample(name, listed_in=path) for name in names]

    def has_split(self, split: str) -> bool:
        """True when splits/<split>.txt exists."""
        return (self.folder / "splits" / f"{split}.txt").is_file()

    def read(self, sample: Sample) -> tuple[RgbImage, ClassMap]:
        """Decode one sample to (RGB uint8 [h, w, 3], class ids uint8 [h, w]).

        Raises:
            ImageError: a file that cannot be decoded.
            DatasetError: sizes that differ, or an id that is no class.
        """
        image, mask = read_image(sample.image_path), read_mask(sample.mask_path)
        check_pair(image, mask, sample.mask_path, len(self.classes), self.ignore_id)
        return image, mask

    def read_mask(self, sample: Sample) -> ClassMap:
        """Decode one mask alone, unchecked against its image: class ids uint8 [h, w]."""
        return read_mask(sample.mask_path)

    def _split_names(self) -> str:
        return ", ".join(name for name in SPLITS if self.has_split(name))

    def _sample(self, name: str, *, listed_in: Path) -> Sample:
        if Path(name).name != name:
            raise DatasetError(f"{listed_in}: '{name}' is a path; write the file name alone")
        sample = Sample(self.folder / "images" / name, self.folder / "masks" / Path(name).with_suffix(".png").name)
        for path in (sample.image_path, sample.mask_path):
            if not path.is_file():
                raise DatasetError(f"{path}: absent, though {listed_in} names '{name}'; add it or drop the line")
        return sample


def _read_list(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 text ({error}); save it as UTF-8") from None


def check_pair(image: RgbImage, mask: ClassMap, mask_path: Path, class_count: int, ignore_id: int) -> None:
    """Check that a mask fits its image and its classes.

    Raises:
        DatasetError: sizes that differ, or an id that is neither a class nor the ignore id.
    """
    if image.shape[:2] != mask.shape:
        (image_height, image_width), (height, width) = image.shape[:2], mask.shape
        raise DatasetError(
            f"{mask_path}: the mask is {width}×{height} but its image is {image_width}×{image_height}; "
            "export the mask at the image's size"
        )
    if mask.size and mask.max() < class_count:
        return  # most masks, and thirty times as fast as counting
    counts = np.bincount(mask.ravel(), minlength=256)
    strays = [int(value) for value in np.flatnonzero(counts) if value >= class_count and value != ignore_id]
    if strays:
        raise DatasetError(
            f"{mask_path}: holds the id {strays[0]}, but the classes are 0 to {class_count - 1} "
            f"and {ignore_id} to ignore; correct the mask or add the class to dataset.toml"
        )
