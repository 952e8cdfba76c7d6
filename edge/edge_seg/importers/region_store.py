"""Regions kept on disk between reading the annotations and drawing them."""

import os
import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_seg.errors import AnnotationError
from edge_seg.importers.annotations import AnnotatedPicture, Region
from edge_seg.importers.wording import shown

_LARGEST_PICTURE_BYTES = 2**25  # of packed regions: a polygon of a million points takes as many
_LONGEST_NAME = 4096
_LARGEST_NUMBER = 2**31


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
            "CREATE TABLE pictures (key INTEGER PRIMARY KEY, name TEXT UNIQUE, file BLOB, width INTEGER,"
            " height INTEGER, size_bytes INTEGER, region_count INTEGER DEFAULT 0,"
            " packed_bytes INTEGER DEFAULT 0);"
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
            AnnotationError: `file` lists the same picture twice, or what it says of it is beyond any picture.
        """
        _check(picture, file)
        key, listed_in, count, packed_bytes = self._entry(picture, file)
        if picture.complete and count >= 0 and listed_in == os.fsencode(file):
            raise AnnotationError(f"{file}: lists '{shown(picture.file_name, 200)}' twice; keep one of the two entries")
        count = max(count, 0)
        for position, region in enumerate(picture.regions, count):
            content = _packed(region, file)
            packed_bytes += len(content)
            if packed_bytes > _LARGEST_PICTURE_BYTES:
                raise AnnotationError(
                    f"{file}: {shown(picture.file_name)}, region {region.number}: with the regions before it has more "
                    "points than can be drawn in one picture; simplify or delete some"
                )
            self._database.execute("INSERT INTO regions VALUES (?, ?, ?)", (key, position, content))
        self._database.execute(
            "UPDATE pictures SET file = ?, region_count = ?, width = coalesce(?, width), height = coalesce(?, height),"
            " size_bytes = coalesce(?, size_bytes), packed_bytes = ? WHERE key = ?",
            (
                *(os.fsencode(file), count + len(picture.regions)),
                *(picture.size or (None, None)),
                *(picture.size_bytes, packed_bytes, key),
            ),
        )

    def _entry(self, picture: AnnotatedPicture, file: Path) -> tuple[int, bytes, int, int]:
        """Return (key, file, region count, packed bytes) of a picture; a count of -1 says that it is new."""
        name = picture.file_name.encode("utf-8", "replace").decode()  # half a surrogate pair is no text
        row = self._database.execute(
            "SELECT key, file, region_count, packed_bytes FROM pictures WHERE name = ?", (name,)
        ).fetchone()
        if row is not None:
            return row
        cursor = self._database.execute("INSERT INTO pictures (name, file) VALUES (?, ?)", (name, os.fsencode(file)))
        return int(cursor.lastrowid or 0), os.fsencode(file), -1, 0

    def pictures(self) -> Iterator[StoredPicture]:
        """Yield every picture in the order in which it first came."""
        rows = self._database.execute(
            "SELECT key, name, file, width, height, size_bytes, region_count FROM pictures ORDER BY key"
        )
        for key, name, file, width, height, size_bytes, count in rows:
            size = (width, height) if width is not None and height is not None else None
            yield StoredPicture(key, name, Path(os.fsdecode(file)), size, size_bytes, count)

    def packed_regions(self, key: int) -> list[bytes]:
        """Return a picture's regions in order, for `unpacked` to read in another process."""
        rows = self._database.execute("SELECT content FROM regions WHERE picture = ? ORDER BY position", (key,))
        return [content for (content,) in rows]


def _check(picture: AnnotatedPicture, file: Path) -> None:
    """Refuse what neither a file system nor a picture can have, nor the database can hold."""
    if len(picture.file_name) > _LONGEST_NAME:
        raise AnnotationError(
            f"{file}: the name '{shown(picture.file_name)}' of a picture has {len(picture.file_name)} characters; "
            "correct it"
        )
    numbers = [*(picture.size or ()), *([] if picture.size_bytes is None else [picture.size_bytes])]
    if not all(0 < number < _LARGEST_NUMBER for number in numbers):
        raise AnnotationError(
            f"{file}: the size {shown(numbers)} of '{shown(picture.file_name)}' is none a picture can have; correct it"
        )


def _packed(region: Region, file: Path) -> bytes:
    return pickle.dumps((file, region), pickle.HIGHEST_PROTOCOL)


def unpacked(content: bytes) -> tuple[Path, Region]:
    """Return (annotation file, region); the bytes are this program's own."""
    return pickle.loads(content)
