"""What the benchmark and the worker that scores a model on a data set say to each other.

benchmark → worker   OpenScoring, then any number of ScorePicture, then SumUp
worker → benchmark   ScoringOpened, PictureScored and SummedUp in answer, or {"error": sentence}
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class OpenScoring:
    """Load a model and open a data set, whose classes must be the model's."""

    model: str
    runtime: str
    threads: int
    data: str
    split: str


@dataclass(frozen=True)
class ScoringOpened:
    """The model knows the data set's classes."""


@dataclass(frozen=True)
class ScorePicture:
    """Segment one picture of the split and compare with its mask.

    `keep` is a file to leave the class map in, `reference` one that another model left.
    """

    name: str
    keep: str | None
    reference: str | None


@dataclass(frozen=True)
class PictureScored:
    """Pixels that the data set does not ignore, and how many of them have the reference's class."""

    pixels: int
    agreeing: int | None


@dataclass(frozen=True)
class SumUp:
    """Score all pictures so far together."""


@dataclass(frozen=True)
class SummedUp:
    """What they give; None is a class in neither truth nor answer."""

    images: int
    miou: float
    iou: dict[str, float | None]


ACCURACY_REQUESTS = (OpenScoring, ScorePicture, SumUp)
