"""The figures of the README: the models that ship, and theirs beside other people's."""

from collections.abc import Sequence
from pathlib import Path

from edge_seg_bench.cards.blocks import megabytes, one_thread_ms
from edge_seg_bench.cards.evidence import Evidence, read_evidence
from edge_seg_bench.cards.subjects import SUBJECTS
from edge_seg_bench.peers.bars import coral_entry
from edge_seg_bench.peers.contestants import LITERT
from edge_seg_bench.peers.result import Entry, PeersReport, read_report
from edge_seg_bench.rendering import markdown_table
from edge_seg_bench.wording import NONE, ms, ratio_words

README = Path("README.md")
PEERS_RESULTS = Path("benchmarks/results/peers.json")
_CORE = "cortex-a76"
_INVOKE = "invoke"
_NETWORKS = ("weights", "tutorial")
"""Groups of peers.json that are rows of its own page, not of the README."""


def front_blocks(root: Path) -> dict[str, Sequence[str]]:
    """Return the blocks of the README of the project at `root`.

    Raises:
        BenchmarkError: a result is absent, damaged or of another schema version.
    """
    shipped = [read_evidence(root, subject) for subject in SUBJECTS if subject.ships]
    return {"models": models_table(shipped), "peers": peers_table(read_report(root / PEERS_RESULTS))}


def models_table(shipped: Sequence[Evidence]) -> list[str]:
    """Return the lines of a table of the models in the wheel."""
    titles = ["model", "finds", "input", "MB", "mIoU float → int8", "ms, 1 thread", "Pi 5 core, M instructions"]
    return markdown_table(titles, [_model_cells(evidence) for evidence in shipped], left=3)


def peers_table(report: PeersReport) -> list[str]:
    """Return the lines of a table of the models that find pets, those with the highest pet IoU on top."""
    scored = [
        (entry.pets.iou, entry) for entry in report.entries if entry.pets is not None and entry.group not in _NETWORKS
    ]
    made_for_pets = [entry for _, entry in sorted(scored, key=lambda pair: -pair[0]) if _knows_pets(entry)]
    titles = ["model", "input", "MB", "pet IoU", "ms, 1 thread", "speed over Coral's"]
    return markdown_table(titles, [_peer_cells(report, entry) for entry in made_for_pets])


def _model_cells(evidence: Evidence) -> list[str]:
    conversion, subject = evidence.conversion, evidence.subject
    if conversion is None:
        return [f"`{subject.name}`", *[NONE] * 6]
    network, int8 = conversion.network, conversion.of("int8")
    return [
        f"[`{subject.name}`]({subject.card})",
        ", ".join(item.name for item in network.classes if item.name != "background"),
        f"{network.input_width}×{network.input_height}",
        megabytes(int8),
        f"{conversion.of('float32').miou:.4f} → {int8.miou:.4f}",
        one_thread_ms(evidence),
        _instructions(evidence),
    ]


def _instructions(evidence: Evidence) -> str:
    counts = evidence.instructions.counts if evidence.instructions else ()
    found = (
        count.instructions
        for count in counts
        if (count.model, count.core, count.part) == (evidence.subject.measured_name, _CORE, _INVOKE)
    )
    instructions = next(found, None)
    return NONE if instructions is None else f"{instructions / 1e6:.1f}"


def _knows_pets(entry: Entry) -> bool:
    return entry.description is None or entry.description.knows_pets


def _peer_cells(report: PeersReport, entry: Entry) -> list[str]:
    row, coral = report.row(entry, LITERT, 1), coral_entry(report)
    model = report.model(entry)
    measured = row.measurement if row else None
    height, width = measured.input_shape[1:3] if measured else (0, 0)
    return [
        f"**{entry.title}**" if entry.group == "shipped" else entry.title,
        f"{width}×{height}" if measured else NONE,
        NONE if model.size_bytes is None else f"{model.size_bytes / 1e6:.2f}",
        NONE if entry.pets is None else f"{entry.pets.iou:.3f}",
        ms(measured.latency.p50_ms) if measured else NONE,
        _speed(report, entry, coral),
    ]


def _speed(report: PeersReport, entry: Entry, coral: Entry | None) -> str:
    row = report.row(entry, LITERT, 1)
    reference = report.row(coral, LITERT, 1) if coral else None
    if row is None or reference is None:
        return NONE
    if entry is coral:
        return "1 ×"
    compared = report.comparison(row.key, reference.key)
    if compared is None:
        return NONE
    return ratio_words(compared.speedup, "{:.3g}".format, " ×")
