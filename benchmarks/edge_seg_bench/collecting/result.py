"""The file that `python -m edge_seg_bench.collecting --out` writes, from which table and plot are rendered."""

from typing import Literal

from edge_seg_bench.recording import SCHEMA_VERSION, Strict


class PictureRow(Strict):
    """One validation picture."""

    name: str
    miou: float
    """Over the classes in it or in the answer, at the picture's resolution."""
    error: float
    """Share of pixels of a wrong class."""
    unsure: dict[str, float]
    """By measure."""


class Correlation(Strict):
    """Spearman's rank correlation with the 95 % percentile interval of a bootstrap over pictures."""

    rho: float
    low: float
    high: float


class MeasureResult(Strict):
    """What one measure is worth."""

    name: str
    with_miou: Correlation
    """Of unsureness and 1 − mIoU."""
    with_error: Correlation
    """Of unsureness and the share of wrong pixels."""
    picked_miou: float
    """Mean over the least sure pictures."""
    picked_error: float


class ModelResult(Strict):
    """One model on one data set."""

    model: str
    data: str
    miou: float
    """Mean over all pictures: what pictures picked at random have."""
    error: float
    measures: tuple[MeasureResult, ...]
    kept_by_bar: dict[str, float]
    """Share of the pictures that a fixed bar of the chosen measure would keep, by the bar."""
    kept_by_share: float
    """Share that the running share keeps of the same pictures in random orders."""
    pictures: tuple[PictureRow, ...]


class CollectingReport(Strict):
    """A collecting.json."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    picked_share: float
    models: tuple[ModelResult, ...]
