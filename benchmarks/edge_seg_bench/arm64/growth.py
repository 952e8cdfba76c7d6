"""What has grown since counts were recorded: pure functions of two reports, and their sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.cores import Core, find_core
from edge_seg_bench.arm64.parts import Part
from edge_seg_bench.arm64.report import RECORD_COMMAND, InstructionCount, InstructionReport, millions

_Key: TypeAlias = tuple[str, str, Part]
"""The model, the core and the part that an InstructionCount is of."""


@dataclass(frozen=True)
class Change:
    """A count as it was recorded, and the same one now."""

    recorded: InstructionCount
    now: InstructionCount

    @property
    def growth(self) -> float:
        """What came on top, as a share of the recorded instructions; below 0 when there are fewer."""
        return self.now.instructions / self.recorded.instructions - 1

    def __str__(self) -> str:
        """Say what changed, in a sentence without a full stop."""
        more = "more" if self.growth >= 0 else "fewer"
        return (
            f"{self.now.model}, {self.now.part}, {find_core(self.now.core).title}: {millions(self.now.instructions)} "
            f"instructions, {abs(self.growth):.2%} {more} than the {millions(self.recorded.instructions)} recorded"
        )


def check_complete(
    recorded: InstructionReport, models: Iterable[str], cores: Iterable[Core], parts: Iterable[Part]
) -> None:
    """Raise BenchmarkError unless these models are recorded, each on all cores with all parts, and nothing else is."""
    wanted: set[_Key] = {(model, core.name, part) for model, core, part in product(models, cores, parts)}
    known = set(map(_key, recorded.counts))
    missing, stray = wanted - known, known - wanted
    if missing:
        raise BenchmarkError(f"the record has not all counts of {_models(missing)}; record again: {RECORD_COMMAND}")
    if stray:
        raise BenchmarkError(f"the record has counts of {_models(stray)} that are over; record again: {RECORD_COMMAND}")


def changes(recorded: InstructionReport, now: InstructionReport) -> list[Change]:
    """Pair each count with the recorded one of the same model, core and part, in the order of `now`."""
    known = {_key(count): count for count in recorded.counts}
    return [Change(known[_key(count)], count) for count in now.counts if _key(count) in known]


def change_lines(found: Sequence[Change], most: float) -> list[str]:
    """Say each change beyond a share of `most`, growth before shrinkage, and in one line how the others changed."""
    grown = [change for change in found if change.growth > most]
    shrunk = [change for change in found if change.growth < -most]
    others = [change for change in found if abs(change.growth) <= most]
    lines = [*map(str, grown), *(f"{change}; record again to keep it so" for change in shrunk)]
    if others:
        furthest = max(others, key=lambda change: abs(change.growth))
        lines.append(f"{len(others)} counts within {_percentage(most)} of those recorded; furthest off: {furthest}")
    return lines


def version_lines(recorded: InstructionReport, now: InstructionReport) -> list[str]:
    """Say which of what was counted had another version when it was recorded: that may be what changed a count."""
    return [
        f"{name} was {recorded.versions.get(name, 'absent')} when that was recorded, and is {version}"
        for name, version in now.versions.items()
        if recorded.versions.get(name) != version
    ]


def check_growth(found: Sequence[Change], most: float) -> None:
    """Raise BenchmarkError when anything grew by more than a share of `most`."""
    grown = sum(change.growth > most for change in found)
    if grown:
        raise BenchmarkError(
            f"{grown} of {len(found)} counts grew by more than {_percentage(most)}; make that cheaper, "
            f"or record what has to be so: {RECORD_COMMAND}"
        )


def _key(count: InstructionCount) -> _Key:
    return count.model, count.core, count.part


def _models(keys: Iterable[_Key]) -> str:
    return ", ".join(sorted({model for model, _, _ in keys}))


def _percentage(share: float) -> str:
    return f"{share * 100:g}%"
