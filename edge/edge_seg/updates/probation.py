"""The first frames of a new model in the camera: it is kept after so many that went well."""

import threading
from statistics import median

from edge_seg.segmenter import Segmentation

PROBATION_FRAMES = 300

_WINDOW = 25
"""The median of so many inferences is what counts: one slow answer is the system's doing."""


class FrameProbation:
    """Counts what a `ModelSlot` tells it, and decides. The first decision holds."""

    def __init__(self, frames: int = PROBATION_FRAMES, limit_ms: float | None = None) -> None:
        """Keep a model after `frames`, unless it fails or its inferences take longer than `limit_ms`."""
        self._frames, self._limit_ms = frames, limit_ms
        self._latest_ms: list[float] = []
        self._count = 0
        self.decided = threading.Event()
        """Set once the answer is known."""
        self.reason: str | None = None
        """Why the model is not kept; None while nothing speaks against it."""

    def answered(self, segmentation: Segmentation) -> None:
        """Take note of an image that went well."""
        if self.decided.is_set():
            return
        self._count += 1
        self._latest_ms.append(segmentation.invoke_ms)
        if len(self._latest_ms) == _WINDOW:
            self._judge(median(self._latest_ms))
            self._latest_ms.clear()
        if self._count >= self._frames:
            self.decided.set()

    def failed(self, error: Exception) -> None:
        """Take note that the new model failed."""
        self.reason = f"it failed on a frame ({' '.join(str(error).split())})"
        self.decided.set()

    def _judge(self, latency_ms: float) -> None:
        if self._limit_ms is not None and latency_ms > self._limit_ms:
            self.reason = f"it takes longer in the camera than the {self._limit_ms:.1f} ms it may"
            self.decided.set()
