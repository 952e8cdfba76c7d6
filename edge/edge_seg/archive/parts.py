"""Rows that are done, in files beside the table until it is written: parts/000001.parquet and so on.

A part is written whole or not at all, so that a run that was killed leaves a whole number of them.
"""

import re
import time
from collections.abc import Callable

from edge_seg.archive.arrow import Table, pa, pq
from edge_seg.archive.place import Place

FOLDER = "parts"
_NAME = re.compile(rf"{FOLDER}/(\d+)\.parquet")
_MOST_ROWS = 200_000
_LEAST_S = 10.0
_SHARE_OF_RUN = 1 / 60
"""A part for every 60th of the time so far: what a killed run loses is little, and a week makes some 500 parts."""


def part_names(output: Place) -> list[str]:
    """Return the parts below an output, the oldest first."""
    found = [match for name in output.names(FOLDER) if (match := _NAME.fullmatch(name))]
    return [match.group() for match in sorted(found, key=_number)]


def parquet_bytes(table: Table) -> bytes:
    """Return a table as a Parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", row_group_size=20_000)
    return sink.getvalue().to_pybytes()


class PartsWriter:
    """Collects rows and writes a part now and then, and at the end."""

    def __init__(self, output: Place, check: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """Write after the parts that are there already.

        Args:
            output: where to.
            check: raises when nothing may be written any more, as then the run has to end.
            clock: seconds.
        """
        self._output, self._check, self._clock = output, check, clock
        names = part_names(output)
        self._next = 1 + (_number(_NAME.fullmatch(names[-1])) if names else 0)
        self._rows: list[Table] = []
        self._count = 0
        self._begun = self._written_at = clock()

    def add(self, rows: Table) -> None:
        """Take rows.

        Raises:
            SinkError: as `flush`.
        """
        self._check()
        self._rows.append(rows)
        self._count += len(rows)
        now = self._clock()
        if self._count >= _MOST_ROWS or now - self._written_at >= max(_LEAST_S, (now - self._begun) * _SHARE_OF_RUN):
            self.flush()

    def flush(self) -> None:
        """Write the rows that are not written yet, sorted by path.

        Raises:
            SinkError: they cannot be written, or another run has taken the output over.
        """
        if self._rows:
            self._check()
            table = pa.concat_tables(self._rows).unify_dictionaries().sort_by("path")
            self._output.write(f"{FOLDER}/{self._next:06d}.parquet", parquet_bytes(table))
            self._next += 1
        self._rows, self._count, self._written_at = [], 0, self._clock()


def _number(match: re.Match[str] | None) -> int:
    return int(match[1]) if match else 0
