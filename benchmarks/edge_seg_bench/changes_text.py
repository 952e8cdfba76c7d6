"""Changes between two results as text."""

from collections.abc import Sequence

from edge_seg_bench.comparing import Changes, RowChange
from edge_seg_bench.rendering import row_words
from edge_seg_bench.results import RowKey
from edge_seg_bench.wording import ms, ratio_words

HEADERS = ("model", "runtime", "threads", "old ms", "new ms", "new/old", "")
_MEMORY_UNIT = 1e6


def table_rows(changes: Changes) -> list[tuple[str, ...]]:
    """Return the cells of each row, as HEADERS names them; the slowest change first."""
    ordered = sorted(changes.rows, key=lambda each: -each.time.ratio)
    return [_cells(each) for each in ordered]


def sentences(changes: Changes) -> list[str]:
    """Return what the table does not say."""
    return [
        *(f"{row_words(each.row)}: measured in the old one, not in the new: {each.error}" for each in changes.failed),
        *_named("only in the old one", changes.missing),
        *_named("only in the new one", changes.added),
        *(
            f"{each.model}: mIoU on {each.data} ({each.split}) {each.old_miou:.4f}, now {each.new_miou:.4f}: "
            f"{100 * (each.new_miou - each.old_miou):+.2f} points"
            for each in changes.accuracies
        ),
        *(_memory_sentence(each) for each in changes.rows if each.uses_more_memory),
        *changes.differences,
        *_machine_sentences(changes),
        "new/old: ratio of the medians with its bootstrap 95% interval; slower or faster when that leaves out 1. "
        "Two sessions of the same thing may differ by more: measure one twice to see by how much.",
    ]


def _cells(each: RowChange) -> tuple[str, ...]:
    return (
        each.row.model,
        each.row.runtime,
        str(each.row.threads),
        ms(each.old_ms),
        ms(each.new_ms),
        ratio_words(each.time, "{:.3f}".format),
        each.change,
    )


def _named(what: str, keys: Sequence[RowKey]) -> list[str]:
    return [f"{what}: {', '.join(map(row_words, keys))}"] if keys else []


def _memory_sentence(each: RowChange) -> str:
    old, new = each.old_peak_rss_bytes / _MEMORY_UNIT, each.new_peak_rss_bytes / _MEMORY_UNIT
    return f"{row_words(each.row)}: peak memory {old:.0f} MB, now {new:.0f} MB"


def _machine_sentences(changes: Changes) -> list[str]:
    if not changes.other_machine:
        return []
    return [
        f"two machines ({'; '.join(changes.other_machine)}): the ratios compare the machines, "
        "and say nothing of a change of the models or the program"
    ]
