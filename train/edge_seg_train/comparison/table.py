"""The table of a comparison, and of any runs, as text: rendered by the terminal, by Markdown and by HTML."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edge_seg_train.comparison.experiments import ComparedRun, Comparison, Result, differing_fields
from edge_seg_train.history import duration

NONE = "–"
NOT_REACHED = "not reached"


@dataclass(frozen=True)
class TextTable:
    """Headings and rows of one length; all columns but the first `words` hold numbers."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def transposed(self, corner: str) -> "TextTable":
        """Return it with rows for columns; `corner` heads the first column."""
        first, *others = zip(self.headings, *self.rows, strict=True)
        return TextTable((corner, *first[1:]), tuple(others))

    def blocks(self, most_columns: int) -> list["TextTable"]:
        """Divide it into tables of at most so many columns after the first, which all of them have."""
        steps = range(1, len(self.headings), max(1, most_columns))
        return [self.columns(0, *range(at, min(at + most_columns, len(self.headings)))) for at in steps]

    def columns(self, *numbers: int) -> "TextTable":
        """Return the columns of these numbers alone, counted from 0."""
        lines = [tuple(line[number] for number in numbers) for line in (self.headings, *self.rows)]
        return TextTable(lines[0], tuple(lines[1:]), sum(number < self.words for number in numbers))


def variant_table(comparison: Comparison) -> TextTable:
    """Make the table of quality and cost, a row for each variant."""
    target = comparison.target_miou
    to_target = "time to a mIoU" if target is None else f"time to mIoU {target:.3f}"
    headings = (
        "variant",
        "differs in",
        "best mIoU",
        "± base",
        "at epoch",
        "s per epoch",
        to_target,
        "parameters trained",
    )
    return TextTable(headings, tuple(_cells(run, target) for run in comparison.runs), words=2)


def iou_table(results: Sequence[Result]) -> TextTable:
    """Make the table of IoU per class, a row for each run; runs may differ in their classes."""
    names = tuple(dict.fromkeys(item.name for result in results for item in result.classes))
    rows = [(result.name, *(score(result.iou_by_class.get(name)) for name in names)) for result in results]
    return TextTable(("run", *names), tuple(rows))


def run_table(results: Sequence[Result]) -> TextTable:
    """Make the table of what runs are and how good, a row for each."""
    headings = ("run", "decoder", "size", "alpha", "epochs", "mIoU", "s per epoch")
    return TextTable(headings, tuple(_run_cells(result) for result in results), words=2)


def difference_table(results: Sequence[Result]) -> TextTable | None:
    """Make the table of settings that are not the same in all runs, a row for each run; None without any."""
    fields = differing_fields([result.config for result in results])
    if not fields:
        return None
    rows = [(result.name, *(setting(getattr(result.config, name)) for name in fields)) for result in results]
    return TextTable(("run", *fields), tuple(rows), words=1 + len(fields))


def score(value: float | None) -> str:
    """Write a share with three decimals; a dash for none and for NaN."""
    return NONE if value is None or math.isnan(value) else f"{value:.3f}"


def setting(value: Any) -> str:
    """Write the value of a field of RunConfig."""
    if value is None:
        return NONE
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def markdown(table: TextTable) -> str:
    """Write the table in GitHub's Markdown."""
    rule = ["---" if number < table.words else "---:" for number in range(len(table.headings))]
    lines = [table.headings, rule, *table.rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _cells(run: ComparedRun, target: float | None) -> tuple[str, ...]:
    best = run.result.best
    return (
        run.variant.name,
        run.variant.difference,
        score(best.scores.miou),
        NONE if run.gain is None else f"{run.gain:+.3f}",
        f"{best.number} of {len(run.result.epochs)}",
        f"{run.result.seconds_per_epoch:.1f}",
        _time_to_target(run, target),
        f"{run.trained_parameters:,}",
    )


def _time_to_target(run: ComparedRun, target: float | None) -> str:
    if target is None:
        return NONE
    return NOT_REACHED if run.seconds_to_target is None else duration(run.seconds_to_target)


def _run_cells(result: Result) -> tuple[str, ...]:
    config, done = result.config, len(result.epochs)
    return (
        result.name,
        config.decoder,
        f"{config.width}×{config.height}",
        f"{config.alpha:g}",
        f"{done}" if result.finished else f"{done} of {config.epochs}",
        score(result.best.scores.miou),
        f"{result.seconds_per_epoch:.1f}",
    )
