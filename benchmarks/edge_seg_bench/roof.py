"""How near a row comes to what its machine can do at most: the roofline model (Williams, Waterman & Patterson 2009)."""

from dataclasses import dataclass

from edge_seg_bench.results import Board, Peak, Row, Work

_MS_PER_S = 1e3


@dataclass(frozen=True)
class RoofShare:
    """What a row does with its machine."""

    share: float
    """The least time that the machine's roof allows, of the time it took."""
    bound: str
    """What the roof is at this work: "arithmetic" or "memory"."""


def roof_share(board: Board, row: Row) -> RoofShare | None:
    """Return a row's share of the roof; None without a measurement, its work, or a peak like it."""
    model = board.model_of(row)
    alike = (peak for peak in board.peaks if (peak.precision, peak.threads) == (model.precision, row.threads))
    peak = next(alike, None)
    if row.measurement is None or model.work is None or peak is None:
        return None
    return _share(model.work, peak, row.measurement.latency.p50_ms / _MS_PER_S)


def _share(work: Work, peak: Peak, seconds: float) -> RoofShare:
    moved = work.weight_bytes + work.activation_bytes
    arithmetic_s, memory_s = work.macs / peak.macs_per_s, moved / peak.bytes_per_s
    bound = "arithmetic" if arithmetic_s >= memory_s else "memory"
    return RoofShare(max(arithmetic_s, memory_s) / seconds, bound)
