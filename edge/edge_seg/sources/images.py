"""Still images as a source: one file or a folder."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from edge_seg.errors import ImageError, SourceError
from edge_seg.images import IMAGE_SUFFIXES, read_image
from edge_seg.sources.frame import Frame, FrameChoice, every_frame


class ImageFiles:
    """Image files in a given order. A bad file goes to `on_bad_image`, or raises when there is none."""

    live = False
    fps = None

    def __init__(
        self, name: str, paths: Sequence[Path], on_bad_image: Callable[[SourceError], None] | None = None
    ) -> None:
        self.name = name
        self.frame_count = len(paths)
        self._paths = paths
        self._on_bad_image = on_bad_image
        self._wanted: FrameChoice = every_frame

    def select(self, wanted: FrameChoice) -> None:
        """Leave out, unread, the files that are not wanted."""
        self._wanted = wanted

    def __iter__(self) -> Iterator[Frame]:
        for index, path in enumerate(self._paths):
            if not self._wanted(index):
                continue
            try:
                image = read_image(path)
            except ImageError as error:
                self._refuse(error)
                continue
            yield Frame(image, index, time.time(), path.name)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _refuse(self, error: ImageError) -> None:
        if self._on_bad_image is None:
            raise SourceError(str(error)) from None
        self._on_bad_image(SourceError(str(error)))


def is_image_name(name: str) -> bool:
    """Return whether a file of this name is taken for an image; hidden files never are."""
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 - a Path for each of 100,000 names takes a second
    return not name.startswith(".") and suffix.lower() in IMAGE_SUFFIXES


def open_image(path: Path) -> ImageFiles:
    """Open one image file."""
    return ImageFiles(path.name, [path])


def open_folder(folder: Path, on_bad_image: Callable[[SourceError], None] | None) -> ImageFiles:
    """Open the images of a folder in the order of `image_names`.

    Raises:
        SourceError: the folder holds no image.
    """
    return ImageFiles(folder.resolve().name, [folder / name for name in image_names(folder)], on_bad_image)


def image_names(folder: Path) -> list[str]:
    """List the images of a folder, sub-folders and hidden files left out, sorted by name.

    Raises:
        SourceError: the folder holds no image.
    """
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if is_image_name(entry.name) and entry.is_file())
    if not names:
        raise SourceError(f"{folder}: holds no image; images end in {' '.join(sorted(IMAGE_SUFFIXES))}")
    return names
