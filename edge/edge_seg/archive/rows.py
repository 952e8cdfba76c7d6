"""The columns of an archive's table, and the rows that its pictures become.

path          of the picture below the source, `/` between folders
width, height pixels, upright; null for a picture that could not be read
share_<class> area share of each class, 0 to 1, float32: one column a class, so that a query reads only those it names
confidence    1 - edge_seg.uncertainty, 0 (a guess) to 1 (sure); null for a model that gives class ids alone
model_sha256  of the model file
mask          the mask's path below the output; null for a picture that could not be read
error         null, or one sentence that says why the picture could not be read
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_seg.archive.arrow import Schema, Table, pa
from edge_seg.segmenter import Segmentation
from edge_seg.uncertainty import uncertainty


@dataclass(frozen=True)
class Row:
    """What became of one picture."""

    path: str
    mask: str | None = None
    width: int | None = None
    height: int | None = None
    shares: Sequence[float] = ()
    confidence: float | None = None
    error: str | None = None
    """A sentence when it could not be read."""
    given_up: bool = False
    """It was not even tried again."""


def row_schema(class_names: Sequence[str]) -> Schema:
    """Return the columns of the table for a model of these classes."""
    shares = [pa.field(f"share_{name}", pa.float32()) for name in class_names]
    return pa.schema(
        [
            pa.field("path", pa.string(), nullable=False),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            *shares,
            pa.field("confidence", pa.float32()),
            pa.field("model_sha256", pa.dictionary(pa.int32(), pa.string())),
            pa.field("mask", pa.string()),
            pa.field("error", pa.string()),
        ]
    )


def row_of(path: str, mask: str, segmentation: Segmentation, class_count: int) -> Row:
    """Return the row of a picture that was segmented; classes that it does not show have a share of 0."""
    height, width = segmentation.class_map.shape
    shares = list(segmentation.area_share.values())
    scores = segmentation.scores
    return Row(
        path=path,
        mask=mask,
        width=width,
        height=height,
        shares=[*shares, *[0.0] * (class_count - len(shares))],
        confidence=None if scores is None else 1 - uncertainty(scores),
    )


def rows_table(rows: Sequence[Row], schema: Schema, model_sha256: str) -> Table:
    """Return rows as a table of `schema`."""
    share_names = [name for name in schema.names if name.startswith("share_")]
    shares = {
        name: [row.shares[index] if row.error is None else None for row in rows]
        for index, name in enumerate(share_names)
    }
    plain = {name: [getattr(row, name) for row in rows] for name in _PLAIN}
    columns = {**plain, **shares, "model_sha256": [model_sha256] * len(rows)}
    return pa.table({name: columns[name] for name in schema.names}, schema=schema)


_PLAIN = ("path", "mask", "width", "height", "confidence", "error")
