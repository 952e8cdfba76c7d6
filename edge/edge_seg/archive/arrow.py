"""Apache Arrow by name: it has no types. What its tables and arrays are called in signatures says what is meant."""

from importlib import import_module
from typing import Any, TypeAlias

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")
ds: Any = import_module("pyarrow.dataset")
pq: Any = import_module("pyarrow.parquet")

Table: TypeAlias = Any
"""A pyarrow.Table."""

Schema: TypeAlias = Any
"""A pyarrow.Schema."""

Column: TypeAlias = Any
"""A pyarrow.ChunkedArray."""

Condition: TypeAlias = Any
"""A pyarrow.dataset.Expression."""

Fragment: TypeAlias = Any
"""A pyarrow.dataset.ParquetFileFragment: a Parquet file that is read in parts."""
