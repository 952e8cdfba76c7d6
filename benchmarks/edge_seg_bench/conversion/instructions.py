"""ARM instructions per frame of the rows that LiteRT runs."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from edge_seg_bench.arm64.cores import find_core
from edge_seg_bench.arm64.counter import qemu_version
from edge_seg_bench.arm64.counting import Wanted, count_all
from edge_seg_bench.arm64.programs import COMPILER, check_system, require_program
from edge_seg_bench.arm64.report import InstructionReport
from edge_seg_bench.arm64.userland import default_folder
from edge_seg_bench.conversion.folders import Contender, Network
from edge_seg_bench.conversion.measuring import Announce
from edge_seg_bench.conversion.result import ConversionReport, Row

CORES = ("cortex-a72", "cortex-a76")
"""Of Raspberry Pi 4 and 5."""
SLOW_FRAME_MS = 1000.0
"""A frame that takes longer here takes minutes emulated."""


def check_can_count() -> None:
    """Raise BenchmarkError when this system cannot emulate; better before minutes of measuring than after."""
    check_system()
    require_program(COMPILER)
    qemu_version()


def with_instructions(networks: Sequence[Network], report: ConversionReport, announce: Announce) -> ConversionReport:
    """Count, and return the report with the counts and the version of QEMU that counted.

    Raises:
        BenchmarkError: something is absent that counting needs, or a model does not run there.
    """
    models = [contender.model for contender, row in _pairs(networks, report) if can_be_counted(contender, row)]
    wanted = Wanted(tuple(models), tuple(find_core(core) for core in CORES), ("invoke",), "litert")
    counted = count_all(wanted, default_folder(), announce)
    return add_counts(networks, report, models, counted)


def add_counts(
    networks: Sequence[Network], report: ConversionReport, models: Sequence[Path], counted: InstructionReport
) -> ConversionReport:
    """Return the report with the counts of `models`, which `counted` has in this order, all CORES of each."""
    in_order = iter(counted.counts)
    counts: dict[Path, dict[str, int]] = {
        model: {count.core: count.instructions for count in islice(in_order, len(CORES))} for model in models
    }
    rows = iter([_with_count(contender, row, counts) for contender, row in _pairs(networks, report)])
    results = tuple(
        result.model_copy(update={"rows": tuple(islice(rows, len(result.rows)))}) for result in report.networks
    )
    versions = {**report.versions, "QEMU": counted.qemu_version}
    return report.model_copy(update={"networks": results, "versions": versions})


def can_be_counted(contender: Contender, row: Row) -> bool:
    """Tell whether a row is LiteRT's, ran, and is not slow."""
    return contender.runtime == "litert" and row.error is None and not _is_slow(row)


def _pairs(networks: Sequence[Network], report: ConversionReport) -> list[tuple[Contender, Row]]:
    return [
        pair
        for network, result in zip(networks, report.networks, strict=True)
        for pair in zip(network.contenders, result.rows, strict=True)
    ]


def _is_slow(row: Row) -> bool:
    return max((timing.latency.p50_ms for timing in row.timings), default=0.0) > SLOW_FRAME_MS


def _with_count(contender: Contender, row: Row, counts: dict[Path, dict[str, int]]) -> Row:
    if contender.runtime != "litert" or row.error is not None:
        return row
    if contender.model in counts:
        return row.model_copy(update={"arm_instructions": counts[contender.model]})
    note = f"instructions not counted: a frame takes more than {SLOW_FRAME_MS / 1000:g} s"
    return row.model_copy(update={"notes": (*row.notes, note)})
