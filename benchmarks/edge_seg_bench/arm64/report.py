"""Instruction counts: the JSON schema and its table."""

import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from edge_seg.files import write_text
from edge_seg_bench.arm64.cores import find_core
from edge_seg_bench.arm64.parts import PARTS, Part
from edge_seg_bench.recording import SCHEMA_VERSION, Strict, read_recorded
from edge_seg_bench.rendering import markdown_table

RECORDED = Path("benchmarks/results/arm64.json")
RECORD_COMMAND = f"python -m edge_seg_bench.arm64 --out {RECORDED}"
CHECK_COMMAND = f"python -m edge_seg_bench.arm64.check {RECORDED}"

_WHAT_COUNTS_SAY = f"""\
The parts do not overlap, so they add up. Threads that wait for each other are in none of them. These are
instructions, not time: a core does some of them side by side and waits long for others, and how fast its memory
answers is in no count.

`{RECORD_COMMAND}` counts the shipped models anew, and
`{CHECK_COMMAND}` fails when a count is more than 3 % over what is recorded there.
"""


class InstructionCount(Strict):
    """What one part of a frame's work with one model executed on one core."""

    model: str
    precision: str
    size_bytes: int
    core: str
    part: Part = "invoke"
    """Files of before there were parts hold this one."""
    runtime_version: str
    runs: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    """Instructions of each time it was done."""

    @property
    def instructions(self) -> int:
        """Instructions of one frame: the median of the runs."""
        return int(statistics.median(self.runs))


class InstructionReport(Strict):
    """The file that `python -m edge_seg_bench.arm64 --out` writes."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    edge_seg_version: str
    qemu_version: str
    runtime: str
    libraries: dict[str, str] = Field(default_factory=dict)
    """Versions of Python, NumPy and OpenCV; empty in files that count the network alone."""
    counts: tuple[InstructionCount, ...]

    @property
    def versions(self) -> dict[str, str]:
        """Versions of everything that was counted or emulated it, by name."""
        runtimes = ", ".join(dict.fromkeys(count.runtime_version for count in self.counts))
        return {"edge-seg": self.edge_seg_version, self.runtime: runtimes, **self.libraries, "QEMU": self.qemu_version}


def read_report(path: Path) -> InstructionReport:
    """Read a file that `write_report` wrote.

    Raises:
        BenchmarkError: no such file, damaged, or of another schema version.
    """
    return read_recorded(path, InstructionReport, made_by=f"python -m edge_seg_bench.arm64 --out {path}")


def make_report(
    qemu_version: str, runtime: str, libraries: Mapping[str, str], counts: Sequence[InstructionCount]
) -> InstructionReport:
    """Date and sign the counts."""
    return InstructionReport(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        edge_seg_version=version("edge-seg"),
        qemu_version=qemu_version,
        runtime=runtime,
        libraries=dict(libraries),
        counts=tuple(counts),
    )


def report_table(report: InstructionReport) -> list[str]:
    """Return the lines of a Markdown table: a row for each model and part, a column for each core."""
    cores = list(dict.fromkeys(count.core for count in report.counts))
    rows = list(dict.fromkeys((count.model, count.precision, count.part) for count in report.counts))
    cells = {(count.model, count.part, count.core): millions(count.instructions) for count in report.counts}
    return markdown_table(
        ["model", "precision", "part", *(find_core(core).title for core in cores)],
        [[model, precision, part, *(cells[model, part, core] for core in cores)] for model, precision, part in rows],
        left=3,
    )


def millions(instructions: int) -> str:
    """Return e.g. "1,299.7 M", "3.15 M" or "0.041 M"."""
    count = instructions / 1e6
    return f"{count:,.{1 if count >= 10 else 2 if count >= 1 else 3}f} M"


def report_sentence(report: InstructionReport) -> str:
    """Return one line on how it was counted."""
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    return f"ARM instructions of one frame, at one thread: {versions}; {report.created}."


def markdown(report: InstructionReport) -> str:
    """Return the text that goes beside the JSON file."""
    lines = ["# ARM instructions per frame", "", report_sentence(report), "", *report_table(report), ""]
    lines += [f"- {part}: {what}." for part, what in PARTS.items()]
    return "\n".join([*lines, "", _WHAT_COUNTS_SAY])


def write_report(out: Path, report: InstructionReport) -> None:
    """Write the JSON file atomically, and a Markdown file beside it."""
    write_text(out, report.model_dump_json(indent=1) + "\n")
    write_text(out.with_suffix(".md"), markdown(report))
