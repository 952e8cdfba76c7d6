"""Regions kept on disk between reading the annotations and drawing them."""

import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotatedPicture, Region
from edge_seg.importers.wording import shown


@dataclass(frozen=True)
class StoredPicture:
    """What is known of a picture without its regions."""

    key: int
    file_name: str
    file: Path
    size: tuple[int, int] | None
    size_bytes: int | None
    region_count: int


class RegionStore:
    """A private SQLite database in a temporary file, gone when it is closed or the program ends.

    Formats that list regions apart from their pictures (COCO, VIA 3) would otherwise have to be held
    in memory whole.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("")  # the empty name is SQLite's private file on disk
        self._database.executescript(
            "PRAGMA cache_size = -8000; PRAGMA synchronous = OFF;"
            "CREATE TABLE pictures (key INTEGER PRIMARY KEY, name TEXT UNIQUE, file TEXT, width INTEGER,"
            " height INTEGER, size_bytes INTEGER, region_count INTEGER DEFAULT 0);"
            "CREATE TABLE regions (picture INTEGER, position INTEGER, content BLOB,"
            " PRIMARY KEY (picture, position)) WITHOUT ROWID;"
        )

    def __enter__(self) -> "RegionStore":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, picture: AnnotatedPicture, file: Path) -> None:
        """Add a picture, or further regions of one.

        Raises:
            AnnotationError: `file` lists the same picture twice.
        """
        key, listed_in, count = self._entry(picture, file)
        if picture.complete and count >= 0 and listed_in == str(file):
            raise AnnotationError(f"{file}: lists '{shown(picture.file_name, 200)}' twice; keep one of the two entries")
        count = max(count, 0)
        rows = [(key, count + place, _packed(region, file)) for place, region in enumerate(picture.regions)]
        self._database.executemany("INSERT INTO regions VALUES (?, ?, ?)", rows)
        self._database.execute(
            "UPDATE pictures SET file = ?, region_count = ?, width = coalesce(?, width),"
            " height = coalesce(?, height), size_bytes = coalesce(?, size_bytes) WHERE key = ?",
            (str(file), count + len(rows), *(picture.size or (None, None)), picture.size_bytes, key),
        )

    def _entry(self, picture: AnnotatedPicture, file: Path) -> tuple[int, str, int]:
        """Return (key, file, region count) of a picture; a count of -1 says that it is new."""
        name = picture.file_name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        row = self._database.execute("SELECT key, file, region_count FROM pictures WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return row
        cursor = self._database.execute("INSERT INTO pictures (name, file) VALUES (?, ?)", (name, str(file)))
        return int(cursor.lastrowid or 0), str(file), -1

    def pictures(self) -> Iterator[StoredPicture]:
        """Yield every picture in the order in which it first came."""
        rows = self._database.execute(
            "SELECT key, name, file, width, height, size_bytes, region_count FROM pictures ORDER BY key"
        )
        for key, name, file, width, height, size_bytes, count in rows:
            size = (width, height) if width is not None and height is not None else None
            yield StoredPicture(key, name, Path(file), size, size_bytes, count)

    def packed_regions(self, key: int) -> list[bytes]:
        """Return a picture's regions in order, for `unpacked` to read in another process."""
        rows = self._database.execute("SELECT content FROM regions WHERE picture = ? ORDER BY position", (key,))
        return [content for (content,) in rows]


def _packed(region: Region, file: Path) -> bytes:
    return pickle.dumps((file, region), pickle.HIGHEST_PROTOCOL)


def unpacked(content: bytes) -> tuple[Path, Region]:
    """Return (annotation file, region); the bytes are this program's own."""
    return pickle.loads(content)
