"""The bars that the shipped models are held to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge_seg_bench.peers.contestants import LITERT, STOCK_TUTORIAL, TUTORIAL
from edge_seg_bench.peers.result import Bar, Entry, PeersReport
from edge_seg_bench.statistics import RatioInterval
from edge_seg_bench.wording import ratio_words

CORAL_FILE = "deeplabv3_mnv2_pascal_quant.tflite"
TIMES_AS_FAST_AS_CORAL = 12
MOST_BYTES_OF_SMALLEST = 700_000
TIMES_AS_FAST_AS_TUTORIAL = 25

_THREADS = 1
_NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Standing:
    """What the bars ask of a shipped model; None for what was not measured."""

    title: str
    size_bytes: int
    pet_iou: float | None = None
    over_coral: RatioInterval | None = None
    """Coral's time over its own."""
    unseen: bool = True
    """Whether it is known not to have learned the pictures; without that, its IoU counts for nothing."""


def evaluate_bars(report: PeersReport) -> tuple[Bar, ...]:
    """Hold the shipped models of a report to all bars, on one thread in LiteRT."""
    coral = coral_entry(report)
    shipped = [entry for entry in report.entries if entry.group == "shipped"]
    standings = [_standing(report, entry, coral) for entry in shipped]
    coral_iou = coral.pets.iou if coral and coral.pets else None
    small = [entry for entry in shipped if (report.model(entry).size_bytes or 0) < MOST_BYTES_OF_SMALLEST]
    return (
        coral_bar(standings, coral_iou),
        size_bar(standings),
        *(
            tutorial_bar(title, {entry.title: _over(report, entry, report.titled(title)) for entry in small})
            for title in (TUTORIAL, STOCK_TUTORIAL)
        ),
    )


def coral_bar(standings: Iterable[Standing], coral_iou: float | None) -> Bar:
    """Ask for a shipped pets model that is as good as Coral's at a twelfth of its time.

    A speed-up counts by the lower end of its interval.
    """
    asked = (
        f"a shipped model with the pet IoU of Coral's {CORAL_FILE.removesuffix('.tflite')} or more, "
        f"at 1/{TIMES_AS_FAST_AS_CORAL} of its time or less on one thread"
    )
    judged = [item for item in standings if item.pet_iou is not None and item.over_coral is not None]
    if coral_iou is None or not judged:
        return Bar(asked=asked, seen=_NOT_MEASURED, met=None)
    met = any(_beats_coral(item, coral_iou) for item in judged)
    seen = "; ".join(_coral_words(item) for item in judged)
    return Bar(asked=asked, seen=f"Coral: {coral_iou:.3f}; {seen}", met=met)


def size_bar(standings: Sequence[Standing]) -> Bar:
    """Ask for a small shipped model."""
    asked = f"the smallest shipped model under {MOST_BYTES_OF_SMALLEST / 1000:.0f} kB"
    if not standings:
        return Bar(asked=asked, seen=_NOT_MEASURED, met=None)
    smallest = min(standings, key=lambda item: item.size_bytes)
    seen = f"{smallest.title}: {smallest.size_bytes / 1000:.0f} kB"
    return Bar(asked=asked, seen=seen, met=smallest.size_bytes < MOST_BYTES_OF_SMALLEST)


def tutorial_bar(tutorial: str, speedups: Mapping[str, RatioInterval | None]) -> Bar:
    """Ask for a small shipped model to be fast; the lower end of the interval counts.

    All small ones are judged: files of one network at two input sizes differ by a few bytes, which decide nothing.

    Args:
        tutorial: what it is compared with.
        speedups: of every shipped model that is small enough, by its title; None where one was not measured.
    """
    asked = (
        f"a shipped model under {MOST_BYTES_OF_SMALLEST / 1000:.0f} kB, {TIMES_AS_FAST_AS_TUTORIAL} × as fast as "
        f"{tutorial}, on one thread"
    )
    judged = {title: speedup for title, speedup in speedups.items() if speedup is not None}
    if not judged:
        return Bar(asked=asked, seen=_NOT_MEASURED, met=None)
    seen = "; ".join(f"{title}: {_times(speedup)}" for title, speedup in judged.items())
    met = any(_least(speedup) >= TIMES_AS_FAST_AS_TUTORIAL for speedup in judged.values())
    return Bar(asked=asked, seen=seen, met=met)


def coral_entry(report: PeersReport) -> Entry | None:
    """Return the entry of the Coral model that the bar names."""
    return next((item for item in report.entries if item.description and item.description.file == CORAL_FILE), None)


def _standing(report: PeersReport, entry: Entry, coral: Entry | None) -> Standing:
    size_bytes = report.model(entry).size_bytes
    assert size_bytes is not None
    return Standing(
        entry.title,
        size_bytes,
        pet_iou=entry.pets.iou if entry.pets else None,
        over_coral=_over(report, entry, coral),
        unseen=bool(entry.pets and entry.pets.unseen),
    )


def _over(report: PeersReport, entry: Entry | None, reference: Entry | None) -> RatioInterval | None:
    rows = [report.row(item, LITERT, _THREADS) for item in (entry, reference) if item is not None]
    keys = [row.key for row in rows if row is not None]
    if len(keys) != 2:
        return None
    comparison = report.comparison(keys[0], keys[1])
    return comparison.speedup if comparison else None


def _beats_coral(item: Standing, coral_iou: float) -> bool:
    assert item.pet_iou is not None
    assert item.over_coral is not None
    return item.unseen and item.pet_iou >= coral_iou and _least(item.over_coral) >= TIMES_AS_FAST_AS_CORAL


def _coral_words(item: Standing) -> str:
    doubt = "" if item.unseen else " (may have learned these pictures)"
    return f"{item.title}: {item.pet_iou:.3f}{doubt}, {_times(item.over_coral)}"


def _least(speedup: RatioInterval) -> float:
    return speedup.ratio if speedup.low is None else speedup.low


def _times(speedup: RatioInterval | None) -> str:
    assert speedup is not None
    return f"{ratio_words(speedup, '{:.1f}'.format)} × as fast"
