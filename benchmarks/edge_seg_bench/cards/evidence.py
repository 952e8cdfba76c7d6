"""The recorded results that a card rests on."""

from dataclasses import dataclass, replace
from pathlib import Path

from edge_seg_bench.arm64.report import InstructionReport
from edge_seg_bench.cards.accuracy import Conversion, read_conversion
from edge_seg_bench.cards.subjects import LATENCY_RESULTS, SUBJECTS, Subject
from edge_seg_bench.recording import read_recorded
from edge_seg_bench.results import Results, read_results


@dataclass(frozen=True)
class Evidence:
    """What is recorded of a model; None for what is not recorded yet."""

    subject: Subject
    conversion: Conversion | None
    latency: Results | None
    instructions: InstructionReport | None
    sizes: "tuple[Evidence, ...]" = ()
    """Of all sizes of the model, this one too."""


def read_evidence(root: Path, subject: Subject) -> Evidence:
    """Read what is recorded of a model and its other sizes in the project at `root`.

    Raises:
        BenchmarkError: a result is damaged or of another schema version.
    """
    sizes = tuple(_read_one(root, other) for other in SUBJECTS if other.family == subject.family)
    return replace(next(size for size in sizes if size.subject == subject), sizes=sizes)


def _read_one(root: Path, subject: Subject) -> Evidence:
    accuracy, latency, instructions = (
        root / path for path in (subject.accuracy, LATENCY_RESULTS, subject.instructions)
    )
    return Evidence(
        subject,
        read_conversion(accuracy) if accuracy.exists() else None,
        read_results(latency) if latency.exists() else None,
        read_recorded(instructions, InstructionReport, made_by="python -m edge_seg_bench.arm64 MODEL --out FILE")
        if instructions.exists()
        else None,
    )
