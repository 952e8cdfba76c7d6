"""Training pictures by number, decoded once and kept where they fit."""

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_seg.dataset import Dataset, Sample
from edge_seg.errors import TrainingError
from edge_seg.images import ClassMap, RgbImage
from edge_seg.resampling import shrink_image, shrink_mask
from edge_seg.run_config import CacheKind

SHARE_OF_MEMORY = 0.25
SHARE_OF_DISK = 0.5
_BYTES_PER_PIXEL = 4  # RGB and the class id

Reader = Callable[[int], tuple[RgbImage, ClassMap]]


class SampleStore(Protocol):
    """Samples of one size by their number in the split."""

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def read(self, index: int) -> tuple[RgbImage, ClassMap]:
        """Return image [h, w, 3] uint8 and mask [h, w] uint8 of one sample."""
        ...


class FileSamples:
    """Samples decoded and shrunk anew whenever they are read."""

    def __init__(self, dataset: Dataset, samples: Sequence[Sample], height: int, width: int) -> None:
        self._dataset, self._samples, self._height, self._width = dataset, samples, height, width

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, index: int) -> tuple[RgbImage, ClassMap]:
        """Decode one sample; raises DatasetError or ImageError for what is no picture with its mask."""
        image, mask = self._dataset.read(self._samples[index])
        return shrink_image(image, self._height, self._width), shrink_mask(mask, self._height, self._width)


class KeptSamples:
    """Samples decoded the first time they are read; safe to read from several threads."""

    def __init__(self, source: SampleStore, images: NDArray[np.uint8], masks: NDArray[np.uint8]) -> None:
        """Keep `source` in images [n, h, w, 3] and masks [n, h, w]."""
        self._source, self._images, self._masks = source, images, masks
        self._is_kept = np.zeros(len(source), np.bool_)

    def __len__(self) -> int:
        return len(self._source)

    def read(self, index: int) -> tuple[RgbImage, ClassMap]:
        """Return one sample, decoding it when it is asked for the first time."""
        if not self._is_kept[index]:
            self._images[index], self._masks[index] = self._source.read(index)
            self._is_kept[index] = True
        return self._images[index], self._masks[index]


def open_store(
    dataset: Dataset, samples: Sequence[Sample], height: int, width: int, cache: CacheKind, folder: Path
) -> SampleStore:
    """Open `samples` at [height, width].

    `cache` "auto" keeps them in memory when they take less than a quarter of it, else on disk when they take less
    than half of what is free there, else nowhere. What is kept on disk lies in a file of `folder` without a name,
    which is gone with the process, however that ends.
    """
    files = FileSamples(dataset, samples, height, width)
    shape = (len(samples), height, width)
    kind = _automatic_kind(int(np.prod(shape)) * _BYTES_PER_PIXEL, folder) if cache == "auto" else cache
    if kind == "off":
        return files
    allocate = _in_memory if kind == "memory" else _on_disk(folder)
    return KeptSamples(files, allocate((*shape, 3), np.uint8), allocate(shape, np.uint8))


def fitting_kind(size_bytes: int, memory_bytes: int, free_disk_bytes: int) -> CacheKind:
    """Choose where pictures of `size_bytes` are kept on a machine with so much memory and room."""
    if size_bytes < SHARE_OF_MEMORY * memory_bytes:
        return "memory"
    return "disk" if size_bytes < SHARE_OF_DISK * free_disk_bytes else "off"


def _automatic_kind(size_bytes: int, folder: Path) -> CacheKind:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return fitting_kind(size_bytes, memory_bytes, shutil.disk_usage(folder).free)


def _in_memory(shape: tuple[int, ...], dtype: type[np.uint8]) -> NDArray[np.uint8]:
    try:
        return np.zeros(shape, dtype)
    except MemoryError:
        raise TrainingError(
            f"memory has no room for {int(np.prod(shape)) / 1e6:,.0f} MB of decoded pictures; take --cache disk or off"
        ) from None


def _on_disk(folder: Path) -> Callable[..., NDArray[np.uint8]]:
    def allocate(shape: tuple[int, ...], dtype: type[np.uint8]) -> NDArray[np.uint8]:
        with tempfile.TemporaryFile(dir=folder) as file:
            # A write into a hole of a mapped file on a full disk kills the process; so the room is taken first.
            _take_room(file.fileno(), int(np.prod(shape)), folder)
            return np.memmap(file, dtype, "r+", shape=shape)

    return allocate


def _take_room(descriptor: int, size_bytes: int, folder: Path) -> None:
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
    except OSError as error:
        raise TrainingError(
            f"{folder}: takes no {size_bytes / 1e6:,.0f} MB of decoded pictures ({error.strerror}); "
            "make room there, or decode them anew in every epoch with --cache off"
        ) from None
