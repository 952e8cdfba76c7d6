"""The one table of an archive: what it says is done, and how parts become it.

Of two rows of one picture the later counts: that of the later part, and any part's before the table's.
"""

from collections.abc import Iterator, Mapping, Sequence

from edge_seg.archive.arrow import Column, Condition, Fragment, Table, ds, pa, pc, pq
from edge_seg.archive.parts import part_names
from edge_seg.archive.place import Place
from edge_seg.errors import SinkError

TABLE = "table.parquet"
_ROWS_AT_ONCE = 100_000
_AGE = "age"


def has_rows(output: Place) -> bool:
    """Return whether an archive is begun; a run that ended before its first row leaves only a note.

    Raises:
        SourceError: the output cannot be looked at.
    """
    return output.exists(TABLE) or bool(part_names(output))


def done_pictures(output: Place) -> Table:
    """Return `path` and `mask` of the pictures that were segmented, by the table and the parts of an output.

    Raises:
        SinkError: a file of rows is damaged.
        SourceError: one cannot be read.
    """
    files = _read_files(output)
    if not files:
        return pa.table({name: pa.array([], pa.string()) for name in ("path", "mask")})
    rows = _latest_rows(list(files.values()), ["path", "mask"], None)
    return rows.filter(pc.is_valid(rows["mask"]))


def write_table(output: Place) -> None:
    """Merge the parts of an output into its table, and remove them.

    Raises:
        SinkError: a file of rows is damaged, or the table cannot be written.
        SourceError: one cannot be read.
    """
    files = _read_files(output)
    if list(files) != [TABLE]:
        output.write(TABLE, merge(list(files.values())))
        for name in files:
            if name != TABLE:
                output.remove(name)


def remove_rows(output: Place) -> None:
    """Remove the table and the parts of an output.

    Raises:
        SinkError: one cannot be removed.
    """
    for name in (TABLE, *part_names(output)):
        output.remove(name)


def merge(fragments: Sequence[Fragment], rows_at_once: int = _ROWS_AT_ONCE) -> bytes:
    """Merge Parquet files into one: the latest row of every picture, sorted by path.

    Only some rows are unpacked at a time.

    Args:
        fragments: the files, of one schema, the oldest first; one at least.
        rows_at_once: about how many rows are held.
    """
    schema = fragments[0].physical_schema
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for span in _spans(fragments, rows_at_once):
            writer.write_table(_latest_rows(fragments, schema.names, span))
    return sink.getvalue().to_pybytes()


def fragment(file: bytes) -> Fragment:
    """Open a Parquet file.

    Raises:
        ValueError: it is none.
    """
    opened = ds.ParquetFileFormat().make_fragment(pa.py_buffer(file))
    opened.ensure_complete_metadata()
    return opened


def _read_files(output: Place) -> Mapping[str, Fragment]:
    """Return the files of rows by name, the oldest first."""
    names = [*([TABLE] if output.exists(TABLE) else []), *part_names(output)]
    return {name: _read_file(output, name) for name in names}


def _read_file(output: Place, name: str) -> Fragment:
    try:
        return fragment(output.read(name))
    except ValueError:
        raise SinkError(
            f"{output.uri}/{name}: is no Parquet file, as after a power cut; delete it, and its pictures are done again"
        ) from None


def _spans(fragments: Sequence[Fragment], rows: int) -> Iterator[Condition]:
    """Yield conditions that cut all paths into consecutive spans of `rows` pictures."""
    paths = [chunk for part in fragments for chunk in part.to_table(columns=["path"])["path"].chunks]
    ordered = pc.unique(pa.chunked_array(paths, pa.string())).sort()
    for start in range(0, len(ordered), rows):
        span, end = ds.field("path") >= ordered[start], start + rows
        yield span if end >= len(ordered) else span & (ds.field("path") < ordered[end])


def _latest_rows(fragments: Sequence[Fragment], columns: Sequence[str], span: Condition | None) -> Table:
    """Return the latest row of every picture in a span of paths, sorted by path."""
    tables = [part.to_table(columns=list(columns), filter=span) for part in fragments]
    aged = [table.append_column(_AGE, pa.repeat(-age, len(table))) for age, table in enumerate(tables)]
    rows = pa.concat_tables(aged).sort_by([("path", "ascending"), (_AGE, "ascending")])
    return rows.filter(_first_of_each(rows["path"])).drop_columns([_AGE])


def _first_of_each(paths: Column) -> Column:
    """Return which elements of a sorted column differ from the one before."""
    if len(paths) == 0:
        return pa.chunked_array([], pa.bool_())
    differs = pc.not_equal(paths.slice(1), paths.slice(0, len(paths) - 1))
    return pa.chunked_array([pa.array([True]), *differs.chunks])
