"""Which pictures models are measured on: some of a split, or generated photographs."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from edge_seg.files import write_bytes
from edge_seg.images import encode_jpeg
from edge_seg_bench.inputs import photograph

T = TypeVar("T")

ROAD_PICTURES = 6
"""How many different pictures take the whole road; all of them stay in the disk cache."""
_WIDTH, _HEIGHT, _JPEG_QUALITY = 640, 480, 90


def spread(items: Sequence[T], most: int | None) -> Sequence[T]:
    """Return `most` items at equal distances, or all: lists are sorted by name, so the first may be all of a kind."""
    if most is None or most >= len(items):
        return items
    return [items[index * len(items) // most] for index in range(most)]


def write_photographs(folder: Path, count: int = ROAD_PICTURES) -> list[Path]:
    """Write generated photographs of 640×480 as JPEG of quality 90; return their files."""
    paths = [folder / f"photo_{number:02d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        write_bytes(path, encode_jpeg(photograph(_HEIGHT, _WIDTH, number), _JPEG_QUALITY))
    return paths
