"""Instruction counts: the JSON schema and its table."""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from edge_seg_bench.arm64.cores import find_core
from edge_seg_bench.recording import SCHEMA_VERSION, Strict
from edge_seg_bench.rendering import markdown_table


class InstructionCount(Strict):
    """What one model's `invoke()` executed on one core."""

    model: str
    precision: str
    size_bytes: int
    core: str
    runtime_version: str
    runs: tuple[int, ...]
    """Instructions of each invoke."""

    @property
    def instructions(self) -> int:
        """Instructions of one invoke: the median of the runs."""
        return int(statistics.median(self.runs))


class InstructionReport(Strict):
    """The file that `python -m edge_seg_bench.arm64 --out` writes."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    edge_seg_version: str
    qemu_version: str
    runtime: str
    counts: tuple[InstructionCount, ...]


def make_report(qemu_version: str, runtime: str, counts: Sequence[InstructionCount]) -> InstructionReport:
    """Date and sign the counts."""
    return InstructionReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        qemu_version=qemu_version,
        runtime=runtime,
        counts=tuple(counts),
    )


def report_table(report: InstructionReport) -> list[str]:
    """Return the lines of a Markdown table: a row for each model, a column for each core, in millions."""
    cores = list(dict.fromkeys(count.core for count in report.counts))
    models = list(dict.fromkeys((count.model, count.precision) for count in report.counts))
    millions = {(count.model, count.core): f"{count.instructions / 1e6:,.1f} M" for count in report.counts}
    titles = ["model", "precision", *(find_core(core).title for core in cores)]
    rows = [[model, precision, *(millions[model, core] for core in cores)] for model, precision in models]
    return markdown_table(titles, rows)


def report_sentence(report: InstructionReport) -> str:
    """Return one line on how it was counted."""
    versions = ", ".join(dict.fromkeys(count.runtime_version for count in report.counts))
    return (
        f"ARM instructions per frame: one invoke() at one thread, {report.runtime} {versions}, "
        f"QEMU {report.qemu_version}, edge-seg {report.edge_seg_version}, {report.created}."
    )
