"""FlatBuffers tables without generated code: fields are named by their position.

Whatever a table points to is built before it (https://flatbuffers.dev/internals/).
"""

from collections.abc import Sequence

import flatbuffers
import numpy as np


def table(builder: flatbuffers.Builder, field_count: int, offsets: dict[int, int]) -> int:
    """Build a table of `field_count` fields, of which `offsets` has those that are offsets, by position."""
    builder.StartObject(field_count)
    for slot, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return builder.EndObject()


def union(
    builder: flatbuffers.Builder, field_count: int, kind: int, value: int, others: dict[int, int] | None = None
) -> int:
    """Build a table whose first two fields are a union's type and value."""
    builder.StartObject(field_count)
    builder.PrependUint8Slot(0, kind, 0)
    for slot, offset in {1: value, **(others or {})}.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return builder.EndObject()


def vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    """Build a vector of tables that are built already."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def floats(builder: flatbuffers.Builder, values: Sequence[float]) -> int:
    """Build a vector of float32."""
    return builder.CreateNumpyVector(np.asarray(values, np.float32))
