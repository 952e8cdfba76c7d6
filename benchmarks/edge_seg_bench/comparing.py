"""Two results of one board, an old and a new one: what became slower or faster, beyond the noise of each session.

Rows are matched by model, runtime and threads. The ratio of two medians has a bootstrap interval, in which each
session draws rounds of its own. What differs between two sessions as a whole (a warmer room, another program, where
the memory came to lie) is in no interval: a margin is for that.
"""

from collections.abc import Mapping, Sequence

from edge_seg.errors import BenchmarkError
from edge_seg_bench.assembly import blocks_of
from edge_seg_bench.differences import machine_differences, measuring_differences
from edge_seg_bench.recording import Strict
from edge_seg_bench.results import Board, Row, RowKey, measured_rows
from edge_seg_bench.statistics import RatioInterval, Verdict, ratio_of_independent_medians

_OPPOSITES: Mapping[Verdict, Verdict] = {"faster": "slower", "slower": "faster"}
_LEAST_MIOU_CHANGE = 0.0005
_LEAST_MEMORY_GROWTH = 1.05


class RowChange(Strict):
    """A row that both measured."""

    row: RowKey
    old_ms: float
    new_ms: float
    """Medians."""
    time: RatioInterval
    """New median over old: above 1, the new one is slower."""
    change: Verdict
    old_peak_rss_bytes: int
    new_peak_rss_bytes: int

    @property
    def uses_more_memory(self) -> bool:
        """Whether the process grew by more than a twentieth."""
        return self.new_peak_rss_bytes > _LEAST_MEMORY_GROWTH * self.old_peak_rss_bytes


class FailedRow(Strict):
    """A row that the old one measured and the new one could not."""

    row: RowKey
    error: str


class AccuracyChange(Strict):
    """A model whose mIoU on the same pictures is another one."""

    model: str
    data: str
    split: str
    old_miou: float
    new_miou: float


class Changes(Strict):
    """What is different between an old and a new result."""

    old_created: str
    new_created: str
    other_machine: tuple[str, ...]
    """Why the two were measured on different machines, () when on one."""
    differences: tuple[str, ...]
    """What else was different, other than the models."""
    rows: tuple[RowChange, ...]
    failed: tuple[FailedRow, ...]
    missing: tuple[RowKey, ...]
    """Rows of the old one alone."""
    added: tuple[RowKey, ...]
    """Rows of the new one alone."""
    accuracies: tuple[AccuracyChange, ...]


def compare_boards(old: Board, new: Board) -> Changes:
    """Compare all rows that both boards measured.

    Raises:
        BenchmarkError: there is none.
    """
    before = {row.key: row for row in measured_rows(old)}
    after = {row.key: row for row in new.rows}
    pairs = [(before[key], row) for key, row in after.items() if key in before]
    if not pairs:
        raise BenchmarkError(_nothing_in_common(list(before), list(after)))
    return Changes(
        old_created=old.created,
        new_created=new.created,
        other_machine=machine_differences(old.machine, new.machine),
        differences=measuring_differences(old, new),
        rows=tuple(_row_change(*pair, old.settings.seed) for pair in pairs if pair[1].measurement),
        failed=tuple(FailedRow(row=row.key, error=row.error or "") for _, row in pairs if row.measurement is None),
        missing=tuple(key for key in before if key not in after),
        added=tuple(row.key for row in measured_rows(new) if row.key not in before),
        accuracies=_accuracy_changes(old, new),
    )


def failures(changes: Changes, margin: float) -> list[RowKey]:
    """Return the rows that failed, or are slower by more than `margin`, a share, with the whole interval."""
    slower = [each.row for each in changes.rows if each.time.low is not None and each.time.low > 1 + margin]
    return [*slower, *(each.row for each in changes.failed)]


def change_of(time: RatioInterval) -> Verdict:
    """Return what an interval of new over old says of the new one."""
    return _OPPOSITES.get(time.verdict, time.verdict)  # which is said of the denominator, the old one


def _row_change(old: Row, new: Row, seed: int) -> RowChange:
    assert old.measurement is not None
    assert new.measurement is not None
    time = ratio_of_independent_medians(blocks_of(new), blocks_of(old), seed=seed)
    return RowChange(
        row=new.key,
        old_ms=old.measurement.latency.p50_ms,
        new_ms=new.measurement.latency.p50_ms,
        time=time,
        change=change_of(time),
        old_peak_rss_bytes=old.measurement.peak_rss_bytes,
        new_peak_rss_bytes=new.measurement.peak_rss_bytes,
    )


def _accuracy_changes(old: Board, new: Board) -> tuple[AccuracyChange, ...]:
    """Compare mIoUs of the same pictures; an evaluation has no noise."""
    before = {model.name: model.accuracy for model in old.models}
    changes: list[AccuracyChange] = []
    for model in new.models:
        was, now = before.get(model.name), model.accuracy
        if was is None or now is None or (was.data, was.split, was.images) != (now.data, now.split, now.images):
            continue
        if abs(now.miou - was.miou) >= _LEAST_MIOU_CHANGE:
            changes.append(
                AccuracyChange(model=model.name, data=now.data, split=now.split, old_miou=was.miou, new_miou=now.miou)
            )
    return tuple(changes)


def _nothing_in_common(old: Sequence[RowKey], new: Sequence[RowKey]) -> str:
    def named(keys: Sequence[RowKey]) -> str:
        return ", ".join(f"{model} ({runtime}, {threads})" for model, runtime, threads in keys[:4]) or "nothing"

    return (
        f"the two results have no row in common: the old one measured {named(old)}, the new one {named(new)}; "
        "measure the same models, runtimes and numbers of threads"
    )
