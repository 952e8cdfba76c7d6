"""What one process does for a whole archive, timed without storage."""

from collections.abc import Iterator
from time import perf_counter

from edge_seg_bench.archive.result import Serial

_PART_ROWS = 20_000
_CLASSES = ("pet", "background", "border")


def measure_serial(pictures: int) -> Serial:
    """Time naming the masks of an archive, finding what is to be done when half is, and merging its parts."""
    from edge_seg.archive.table import fragment, merge

    begun = perf_counter()
    _plan(pictures)
    planned = perf_counter()
    parts = [fragment(part) for part in _parts(pictures)]
    made = perf_counter()
    merge(parts)
    return Serial(pictures=pictures, plan_s=planned - begun, merge_s=perf_counter() - made)


def _plan(pictures: int) -> None:
    from edge_seg.archive.arrow import pa
    from edge_seg.archive.pending import named_masks, not_done

    named = named_masks([f"{index // 1000:06d}/{index:09d}.jpg" for index in range(pictures)])
    half = named.slice(0, pictures // 2)
    not_done(named, half, pa.array(half["mask"].to_pylist()))


def _parts(pictures: int) -> Iterator[bytes]:
    from edge_seg.archive.parts import parquet_bytes
    from edge_seg.archive.rows import Row, row_schema, rows_table

    schema = row_schema(_CLASSES)
    for first in range(0, pictures, _PART_ROWS):
        names = [f"{index:09d}" for index in range(first, min(first + _PART_ROWS, pictures))]
        rows = [Row(f"{name}.jpg", f"masks/{name}.png", 640, 480, (0.2, 0.7, 0.1), 0.5) for name in names]
        yield parquet_bytes(rows_table(rows, schema, "f" * 64))
