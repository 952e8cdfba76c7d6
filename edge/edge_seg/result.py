"""What goes through the pipeline's last stage: a frame, its answer, and how the run stands."""

from dataclasses import dataclass

from edge_seg.segmenter import Segmentation
from edge_seg.sources.frame import Frame


@dataclass(frozen=True, eq=False)
class Result:
    """One frame's answer, and how the run stands."""

    frame: Frame
    segmentation: Segmentation
    fps: float = 0.0
    """Results per second over the last 30 results; 0.0 for the first."""
    dropped: int = 0
    """Frames that the model had no time for so far."""
    age_ms: float = 0.0
    """From the frame's capture to this result; 0.0 for files, whose frames were captured long ago."""
