"""The file that `python -m edge_seg_bench.peers --out` writes, from which the tables are rendered."""

from pathlib import Path
from typing import Literal

from edge_seg_bench.peers.contestants import Group
from edge_seg_bench.peers.descriptions import Description
from edge_seg_bench.recording import SCHEMA_VERSION, Strict, read_recorded
from edge_seg_bench.results import Board, Comparison, Model, Row, RowKey


class PetScore(Strict):
    """What a model reached on the pictures, at their full resolution."""

    iou: float
    """Of the pet; the rule is that of `edge_seg_bench.peers.pet_iou`."""
    miou: float | None
    """Over all classes of the data set; None for a model of other classes."""
    unseen: bool | None
    """True when the model names this very data set and split, of which it learned the other part; False when it names
    another one, which may hold the same pictures; None when it names none, as other people's models."""


class Entry(Strict):
    """One model file; its milliseconds are in the board's rows."""

    model: str
    """Its name in the board."""
    title: str
    group: Group
    made_for: str
    """As its description says; of our own models, the data set's name."""
    description: Description | None
    """Of other people's models."""
    pets: PetScore | None
    error: str | None
    """Why there is no pet IoU, for one that should have it."""


class Agreement(Strict):
    """How far a runtime gives LiteRT's answers to the same weights in the same precision."""

    row: RowKey
    share: float
    """Of the pixels of the split's first pictures, at network size, 0 to 1: those of LiteRT's class."""


class Bar(Strict):
    """What was asked of the shipped models, and what was seen."""

    asked: str
    seen: str
    met: bool | None
    """None when a figure is missing."""


class PeersReport(Strict):
    """A peers.json."""

    schema_version: Literal[1] = SCHEMA_VERSION
    data: str
    """The data set's name."""
    split: str
    pictures: int
    board: Board
    entries: tuple[Entry, ...]
    agreements: tuple[Agreement, ...]
    comparisons: tuple[Comparison, ...]
    """With Coral's model, the tutorial's networks, and LiteRT on the same weights, at the same number of threads."""
    bars: tuple[Bar, ...] = ()

    def entry(self, row: Row) -> Entry:
        """Return the entry that a row belongs to."""
        return next(entry for entry in self.entries if entry.model == row.model)

    def model(self, entry: Entry) -> Model:
        """Return the board's model of an entry."""
        return next(model for model in self.board.models if model.name == entry.model)

    def row(self, entry: Entry, runtime: str, threads: int) -> Row | None:
        """Return a row of an entry, or None when there is none."""
        key = RowKey(entry.model, runtime, threads)
        return next((row for row in self.board.rows if row.key == key), None)

    def comparison(self, row: RowKey, reference: RowKey) -> Comparison | None:
        """Return how a row compares with a reference, or None when one of them was not measured."""
        return next((item for item in self.comparisons if (item.row, item.reference) == (row, reference)), None)

    def titled(self, title: str) -> Entry | None:
        """Return the entry of a title."""
        return next((entry for entry in self.entries if entry.title == title), None)


def read_report(path: Path) -> PeersReport:
    """Read a peers.json.

    Raises:
        BenchmarkError: no such file, damaged, or of another schema version.
    """
    return read_recorded(path, PeersReport, made_by="python -m edge_seg_bench.peers")
