"""What a check can find, and how it is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True)
class Kind:
    """A kind of finding: an `error` keeps the data set from being used, a `warning` may be meant."""

    severity: Severity
    title: str
    why: str


KINDS: Mapping[str, Kind] = {
    "no-split": Kind("error", "No training split", "Training reads the pictures that splits/train.txt names."),
    "unreadable-list": Kind(
        "error", "Split lists that cannot be read", "A list is UTF-8 text, one file name per line."
    ),
    "empty-split": Kind("error", "Empty splits", "A split list names at least one picture."),
    "not-a-name": Kind("error", "Lines that are no file name", "A split list holds names of files in images/ alone."),
    "repeated-name": Kind("error", "Pictures listed twice", "They would count double."),
    "in-two-splits": Kind("error", "Pictures in two splits", "A score on pictures that were trained on means nothing."),
    "absent-file": Kind("error", "Files that are absent", "Every listed picture has a file in images/ and a mask."),
    "undecodable": Kind("error", "Files that cannot be decoded", "They are damaged, or no pictures at all."),
    "mask-mode": Kind("error", "Masks that hold no ids", "A mask is a PNG with one byte per pixel: the class id."),
    "size-mismatch": Kind("error", "Masks of another size", "A mask has exactly the pixels of its picture."),
    "stray-id": Kind("error", "Masks with unknown ids", "Every id is a class of dataset.toml or the ignore id."),
    "all-ignored": Kind("error", "Masks that ignore every pixel", "Such a picture neither trains nor scores."),
    "mislabelled": Kind(
        "warning", "Names that lie about the format", "Reading goes by content, other programs may go by the name."
    ),
    "outside-folder": Kind("warning", "Links out of the folder", "The data set cannot be moved or packed as it is."),
    "unlisted": Kind("warning", "Pictures in no split", "They are never used."),
    "unused-mask": Kind("warning", "Masks without a picture", "They are never used."),
    "shared-mask": Kind("warning", "Pictures that share a mask", "Masks go by the stem of the picture's name."),
    "empty-mask": Kind(
        "warning", "Masks of background alone", "Right if the picture shows no object; else it was not annotated."
    ),
    "box-mask": Kind("warning", "Masks that are plain boxes", "Box annotations teach boxes, not outlines."),
    "absent-class": Kind("warning", "Classes absent from a split", "They cannot be learned, or not be scored."),
    "few-pictures": Kind("warning", "Few pictures to train on", "Scores on so few vary by chance."),
    "duplicate": Kind("warning", "The same picture twice", "Copies weigh double in training."),
    "near-duplicate": Kind(
        "warning", "Pictures of one scene", "They teach little more than one, and a new split may part them."
    ),
    "crosses-splits": Kind(
        "warning", "One scene in several splits", "The score then measures memory: it is too good to be true."
    ),
    "looks-swapped": Kind(
        "warning",
        "Masks that look exchanged",
        "Their outlines lie on the edges of another picture, not on those of their own.",
    ),
    "looks-shifted": Kind(
        "warning", "Masks that look shifted", "Moved, their outlines fit the picture's edges better."
    ),
}
"""All kinds, in the order in which they are reported."""

FEWEST_IN_TRAIN = 20
"""Below this many training pictures of a class, the usual fifth for validation holds fewer than five, and one more
or less of them moves a score by more than most changes of the network do."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or may be meant.

    Attributes:
        kind: a key of KINDS.
        sentence: what is wrong, the value seen, and the cure.
        pictures: file names of the pictures concerned, as the split lists write them.
        shift_px: where a mask that looks shifted belongs: pixels to the right and down from where it is.
    """

    kind: str
    sentence: str
    pictures: tuple[str, ...] = ()
    shift_px: tuple[int, int] | None = None

    @property
    def severity(self) -> Severity:
        """Whether it keeps the data set from being used."""
        return KINDS[self.kind].severity

    def content(self) -> dict[str, Any]:
        """Return the finding as JSON holds it."""
        content: dict[str, Any] = {"kind": self.kind, "severity": self.severity, "sentence": self.sentence}
        content["pictures"] = list(self.pictures)
        return content if self.shift_px is None else content | {"shift_px": list(self.shift_px)}


@dataclass(frozen=True)
class SplitSummary:
    """What one split holds.

    Attributes:
        pictures: names in the split list.
        pixel_shares: class name to its share of the pixels that are not ignored, 0 to 1.
        class_pictures: class name to the number of pictures that hold it.
        ignored_share: share of all pixels that are ignored, 0 to 1.
    """

    pictures: int
    pixel_shares: Mapping[str, float]
    class_pictures: Mapping[str, int]
    ignored_share: float


@dataclass(frozen=True)
class CheckReport:
    """Everything a check found, in the order of KINDS: errors first."""

    findings: tuple[Finding, ...]
    splits: Mapping[str, SplitSummary]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that keep the data set from being used."""
        return tuple(item for item in self.findings if item.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that may be meant."""
        return tuple(item for item in self.findings if item.severity == "warning")

    @property
    def by_kind(self) -> Mapping[str, Sequence[Finding]]:
        """The findings of every kind that was found."""
        found: dict[str, list[Finding]] = {}
        for item in self.findings:
            found.setdefault(item.kind, []).append(item)
        return found


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Sort findings by kind, as KINDS lists them; within a kind they keep their order."""
    ranks = {kind: rank for rank, kind in enumerate(KINDS)}
    return tuple(sorted(findings, key=lambda item: ranks[item.kind]))


def enumerated(names: Sequence[str], most: int = 4) -> str:
    """Join names for a sentence: `a, b, c, d and 12 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
