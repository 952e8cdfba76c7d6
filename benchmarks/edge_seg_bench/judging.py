"""How a benchmark with targets ends: its result beside its table, and an error when a target was missed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import typer

from edge_seg.errors import BenchmarkError
from edge_seg.files import write_text


class Judged(Protocol):
    """A report that knows which targets it missed."""

    @property
    def missed(self) -> Sequence[str]:
        """A sentence or name for each."""
        ...

    def model_dump_json(self, *, indent: int) -> str:
        """Return it as JSON."""
        ...


def record(report: Judged, text: str, out: Path | None) -> None:
    """Print `text`, the report as Markdown, and write both to `out` and beside it.

    Raises:
        BenchmarkError: a target was missed.
        OSError: a file cannot be written.
    """
    if out is not None:
        write_text(out, report.model_dump_json(indent=1) + "\n")
        write_text(out.with_suffix(".md"), text)
    typer.echo(text)
    if report.missed:
        raise BenchmarkError(f"{len(report.missed)} targets missed: {'; '.join(report.missed)}")
