"""Stand-in."""

from dataclasses import dataclass
from pathlib import Path

import fsspec
import fsspec.core
from fsspec import AbstractFileSystem

from edge_seg.errors import SourceError
from edge_seg.sources.images import is_image_name


@dataclass(frozen=True)
class Place:
    """A folder, on a disk or in a bucket."""

    uri: str
    fs: AbstractFileSystem
    root: str

    def read(self, name: str) -> bytes:
        """Read."""
        return self.fs.cat_file(f"{self.root}/{name}")

    def write(self, name: str, data: bytes) -> None:
        """Write."""
        path = f"{self.root}/{name}"
        self.fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self.fs.pipe_file(f"{path}.part", data)
        Path(f"{path}.part").replace(path)

    def remove(self, name: str) -> None:
        """Remove."""
        self.fs.rm_file(f"{self.root}/{name}")

    def exists(self, name: str) -> bool:
        """Ask."""
        return self.fs.exists(f"{self.root}/{name}")

    def names(self, below: str = "") -> list[str]:
        """List."""
        top = f"{self.root}/{below}".rstrip("/")
        return sorted(path[len(self.root) + 1 :] for path in self.fs.find(top))


def open_source(uri: str) -> Place:
    """Stand in."""
    fs, root = fsspec.core.url_to_fs(uri)
    if not fs.isdir(root):
        raise SourceError(f"{uri}: no such folder")
    return Place(uri, fs, root)


def open_output(uri: str) -> Place:
    """Stand in."""
    fs, root = fsspec.core.url_to_fs(uri)
    return Place(uri, fs, root)


def picture_names(place: Place) -> list[str]:
    """Stand in."""
    return [name for name in place.names() if is_image_name(name.rpartition("/")[2])]
