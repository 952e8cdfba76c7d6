"""The one table of an archive: what it says is done, and how parts become it.

Of two rows of one picture the later counts: that of the later part, and any part's before the table's.
"""

from collections.abc import Iterator, Sequence

from edge_seg.archive.arrow import Column, Condition, Fragment, Table, ds, pa, pc, pq
from edge_seg.archive.parts import part_names
from edge_seg.archive.storage import Place

TABLE = "table.parquet"
ROWS_AT_ONCE = 100_000
_AGE = "age"


def table_files(output: Place) -> list[str]:
    """Return the files that hold rows, the oldest first."""
    return [*([TABLE] if output.exists(TABLE) else []), *part_names(output)]


def read_rows(files: Sequence[bytes], columns: Sequence[str]) -> Table:
    """Return some columns of the latest row of every picture, sorted by path.

    Args:
        files: Parquet files, the oldest first; one at least.
        columns: `path` among them.
    """
    return _latest_rows([_fragment(file) for file in files], columns, None)


def merge(files: Sequence[bytes], rows_at_once: int = ROWS_AT_ONCE) -> bytes:
    """Merge Parquet files into one: the latest row of every picture, sorted by path.

    Only some rows are unpacked at a time.

    Args:
        files: of one schema, the oldest first; one at least.
        rows_at_once: about how many rows are held.
    """
    fragments = [_fragment(file) for file in files]
    schema = fragments[0].physical_schema
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for span in _spans(fragments, rows_at_once):
            writer.write_table(_latest_rows(fragments, schema.names, span))
    return sink.getvalue().to_pybytes()


def _fragment(file: bytes) -> Fragment:
    return ds.ParquetFileFormat().make_fragment(pa.py_buffer(file))


def _spans(fragments: Sequence[Fragment], rows: int) -> Iterator[Condition]:
    """Yield conditions that cut all paths into consecutive spans of `rows` pictures."""
    paths = pa.chunked_array([chunk for part in fragments for chunk in part.to_table(columns=["path"])["path"].chunks])
    ordered = pc.unique(paths).sort()
    first = range(0, len(ordered), rows)
    for start in first:
        after = ds.field("path") >= ordered[start]
        end = start + rows
        yield after if end >= len(ordered) else after & (ds.field("path") < ordered[end])


def _latest_rows(fragments: Sequence[Fragment], columns: Sequence[str], span: Condition | None) -> Table:
    tables = [part.to_table(columns=list(columns), filter=span) for part in fragments]
    aged = [table.append_column(_AGE, pa.repeat(-age, len(table))) for age, table in enumerate(tables)]
    rows = pa.concat_tables(aged).sort_by([("path", "ascending"), (_AGE, "ascending")])
    return rows.filter(_first_of_each(rows["path"])).drop_columns([_AGE])


def _first_of_each(paths: Column) -> Column:
    """Return which elements of a sorted array differ from the one before."""
    if len(paths) == 0:
        return pa.chunked_array([], pa.bool_())
    differs = pc.not_equal(paths.slice(1), paths.slice(0, len(paths) - 1))
    return pa.chunked_array([pa.array([True]), *differs.chunks])
