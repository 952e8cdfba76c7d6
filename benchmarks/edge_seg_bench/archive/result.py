"""The file that `python -m edge_seg_bench.archive --out` writes, from which the tables are rendered."""

from typing import Literal

from edge_seg_bench.recording import Recorded, Strict

Way = Literal["local", "ray"]


class Run(Strict):
    """One whole `edge-seg run`."""

    way: Way
    workers: int
    """Processes that segment; the run was held to as many cores, with all its other processes."""
    total_s: float
    """From starting the program until it ended."""
    first_s: float
    """From starting the program until the first mask was there."""
    last_s: float
    """From the last mask until the program ended."""
    window_ms: tuple[float, ...]
    """Milliseconds a picture of consecutive stretches between the first tenth of the masks and the last."""
    starter_ms: float
    """Milliseconds of processor that the process which started the others used for a picture, in between."""


class Serial(Strict):
    """What one process does for a whole archive, in seconds for `pictures` pictures; storage takes no time here."""

    pictures: int
    plan_s: float
    """Naming masks and finding out what is still to be done."""
    merge_s: float
    """Making one table of the parts."""


class ArchiveReport(Recorded):
    """An archive.json."""

    model: str
    pictures: int
    """Of each run, 640×480."""
    price_per_core_hour: float
    currency: str
    rounds: tuple[tuple[Run, ...], ...]
    """In each round every way with every number of workers, once."""
    serial: Serial
