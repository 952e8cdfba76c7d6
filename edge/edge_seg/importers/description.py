"""What every importer is told about the new data set, and what it tells of its work."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_seg.classes import SegmentationClass
from edge_seg.dataset import DatasetWriter, SplitPolicy


@dataclass(frozen=True)
class Description:
    """What dataset.toml will say beside the classes."""

    name: str
    source: str = ""
    licence: str = ""
    split: SplitPolicy = field(default_factory=SplitPolicy)

    def writer(self, folder: Path, classes: Sequence[SegmentationClass]) -> DatasetWriter:
        """Return a writer for `folder`, not yet entered.

        Raises:
            DatasetError: `folder` exists and is not empty.
        """
        return DatasetWriter(
            folder,
            name=self.name,
            classes=classes,
            source=self.source,
            licence=self.licence,
            split=self.split,
        )


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        imported: pictures written.
        empty: how many of them carry no annotation and became background altogether.
        skipped: one sentence for every picture left out.
        notes: one sentence for everything else the user should know.
    """

    imported: int
    empty: int = 0
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
