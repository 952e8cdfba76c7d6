"""The file that `python -m edge_seg_bench.smoothing --out` writes, from which the tables are rendered."""

from typing import Literal

from edge_seg_bench.recording import SCHEMA_VERSION, Machine, Strict


class Video(Strict):
    """What the synthetic videos are."""

    pictures: int
    """The first so many of the validation pictures."""
    frames: int
    """Of each picture."""
    fps: float


class Viewing(Strict):
    """A motion as seen with one time constant."""

    time_constant_s: float
    """0.0 without smoothing."""
    everywhere: bool
    """A plain moving average, in place of one where the picture stands still."""
    flicker: float
    """Mean share of pixels, 0 to 1, that changed class from one frame to the next though the truth did not."""
    miou: float
    """Over all frames, at their resolution."""
    cost_ms: float | None
    """Median time that smoothing took of one frame."""


class MotionResult(Strict):
    """One motion, without smoothing and with every time constant."""

    name: str
    viewings: tuple[Viewing, ...]


class Scene(Strict):
    """One model on one data set."""

    model: str
    data: str
    motions: tuple[MotionResult, ...]


class SmoothingReport(Strict):
    """A smoothing.json."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    machine: Machine
    video: Video
    scenes: tuple[Scene, ...]
