"""ARM instructions per frame of the rows that LiteRT runs."""

from collections.abc import Sequence
from pathlib import Path

from edge_seg_bench.arm64.cores import find_core
from edge_seg_bench.arm64.counting import count_all
from edge_seg_bench.arm64.userland import default_folder
from edge_seg_bench.conversion.folders import Contender, Network
from edge_seg_bench.conversion.measuring import Announce
from edge_seg_bench.conversion.result import NetworkResult, Row

CORES = ("cortex-a72", "cortex-a76")
"""Of Raspberry Pi 4 and 5."""
SLOW_FRAME_MS = 1000.0
"""A frame that takes longer here takes minutes emulated."""


def with_instructions(
    networks: Sequence[Network], results: Sequence[NetworkResult], announce: Announce
) -> tuple[list[NetworkResult], str]:
    """Return the results with instruction counts, and the version of QEMU that counted.

    Raises:
        BenchmarkError: something is absent that counting needs, or a model does not run there.
    """
    pairs = [
        (contender, row)
        for network, result in zip(networks, results, strict=True)
        for contender, row in zip(network.contenders, result.rows, strict=True)
    ]
    models = [contender.model for contender, row in pairs if can_be_counted(contender, row)]
    report = count_all(models, [find_core(core) for core in CORES], "litert", default_folder(), announce)
    in_order = iter(report.counts)
    counts: dict[Path, dict[str, int]] = {
        model: {count.core: count.instructions for count in (next(in_order) for _ in CORES)} for model in models
    }
    counted: list[NetworkResult] = []
    for network, result in zip(networks, results, strict=True):
        both = zip(network.contenders, result.rows, strict=True)
        rows = tuple(_with_count(contender, row, counts) for contender, row in both)
        counted.append(result.model_copy(update={"rows": rows}))
    return counted, report.qemu_version


def can_be_counted(contender: Contender, row: Row) -> bool:
    """Tell whether a row is LiteRT's, ran, and is not slow."""
    return contender.runtime == "litert" and row.error is None and not _is_slow(row)


def _is_slow(row: Row) -> bool:
    return max((timing.latency.p50_ms for timing in row.timings), default=0.0) > SLOW_FRAME_MS


def _with_count(contender: Contender, row: Row, counts: dict[Path, dict[str, int]]) -> Row:
    if contender.runtime != "litert" or row.error is not None:
        return row
    if contender.model in counts:
        return row.model_copy(update={"arm_instructions": counts[contender.model]})
    note = f"instructions not counted: a frame takes more than {SLOW_FRAME_MS / 1000:g} s"
    return row.model_copy(update={"notes": (*row.notes, note)})
