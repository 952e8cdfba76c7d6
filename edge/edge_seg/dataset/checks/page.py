"""The page of a check: tables, and the pictures in question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_seg.dataset.checks.findings import KINDS, CheckReport, Finding, Kind
from edge_seg.dataset.checks.listing import list_samples, sample_called
from edge_seg.dataset.checks.pictures import MOVED_RGB, PRESENT_RGB, masked_thumbnail, shifted_thumbnail, thumbnail
from edge_seg.dataset.folder import Dataset
from edge_seg.dataset.repair import Repair
from edge_seg.errors import ImageError
from edge_seg.files import write_text
from edge_seg.images import ClassMap, RgbImage, read_image, read_mask
from edge_seg.pages import embedded, render

MOST_SHOWN = 12
"""Findings of a kind that are shown with pictures; the others are listed."""

_MOST_PICTURES = 6


@dataclass(frozen=True)
class Figure:
    """One picture of the page, as a data URI, with its caption."""

    source: str
    caption: str


@dataclass(frozen=True)
class Shown:
    """One finding with the pictures that show it."""

    finding: Finding
    figures: Sequence[Figure]
    more_pictures: int


@dataclass(frozen=True)
class Section:
    """All findings of one kind: the first with pictures, the rest as sentences."""

    name: str
    kind: Kind
    shown: Sequence[Shown]
    rest: Sequence[Finding]

    @property
    def count(self) -> int:
        """Findings of this kind."""
        return len(self.shown) + len(self.rest)

    @property
    def is_of_single_pictures(self) -> bool:
        """True when every finding is about one picture, so that they may stand side by side."""
        return all(len(item.figures) <= 1 for item in self.shown)


def write_page(path: Path, dataset: Dataset, report: CheckReport, repairs: Sequence[Repair] = ()) -> None:
    """Write the page of a check, everything inside one file.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    painter = _Painter(dataset)
    sections = [
        Section(name, KINDS[name], [painter.show(item) for item in findings[:MOST_SHOWN]], findings[MOST_SHOWN:])
        for name, findings in report.by_kind.items()
    ]
    page = render(
        "check.html",
        dataset=dataset,
        report=report,
        repairs=repairs,
        sections=sections,
        present_rgb=PRESENT_RGB,
        moved_rgb=MOVED_RGB,
    )
    write_text(path, page)


class _Painter:
    """Draws the pictures of findings."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._listing = list_samples(dataset.folder)

    def show(self, finding: Finding) -> Shown:
        figures = list(self._figures(finding))
        return Shown(finding, figures, max(0, len(finding.pictures) - _MOST_PICTURES))

    def _figures(self, finding: Finding) -> Iterator[Figure]:
        if finding.kind == "looks-swapped":
            yield from self._exchanged(*finding.pictures)
            return
        for name in finding.pictures[:_MOST_PICTURES]:
            drawn = self._drawn(name, name, finding.shift_px)
            if drawn is not None:
                yield Figure(embedded(drawn), self._caption(name))

    def _exchanged(self, first: str, second: str) -> Iterator[Figure]:
        for name, other in ((first, first), (first, second), (second, second), (second, first)):
            drawn = self._drawn(name, other)
            if drawn is not None:
                whose = "its own mask" if name == other else f"the mask of {other}"
                yield Figure(embedded(drawn), f"{name} with {whose}")

    def _drawn(self, name: str, mask_of: str, shift_px: tuple[int, int] | None = None) -> RgbImage | None:
        """Draw a picture with a mask, as far as they can be read."""
        image, mask = self._image(name), self._mask(mask_of)
        if image is None or mask is None:
            return None if image is None else thumbnail(image)
        if shift_px is not None:
            return shifted_thumbnail(image, mask, shift_px)
        return masked_thumbnail(image, mask, self._dataset.classes, self._dataset.ignore_id)

    def _image(self, name: str) -> RgbImage | None:
        try:
            return read_image(sample_called(self._dataset.folder, name).image_path)
        except ImageError:
            return None

    def _mask(self, name: str) -> ClassMap | None:
        try:
            return read_mask(sample_called(self._dataset.folder, name).mask_path)
        except ImageError:
            return None

    def _caption(self, name: str) -> str:
        splits = self._listing.splits_of(name)
        return f"{name} – {' and '.join(splits)}" if splits else name
