"""The first frames of a new model in the camera: it is kept after so many that went well."""

import threading
from collections.abc import Sequence

from edge_seg.segmenter import Segmentation

PROBATION_FRAMES = 300


class FrameProbation:
    """Counts what a `ModelSlot` tells it, and decides. The first decision holds."""

    def __init__(self, frames: int = PROBATION_FRAMES, limit_ms: float | None = None) -> None:
        """Keep a model after `frames`, unless it fails or its inferences take longer than `limit_ms`."""
        self._frames, self._limit_ms = frames, limit_ms
        self._latencies_ms: list[float] = []
        self.decided = threading.Event()
        """Set once the answer is known."""
        self.reason: str | None = None
        """Why the model is not kept; None while nothing speaks against it."""

    def answered(self, segmentation: Segmentation) -> None:
        """Take note of an image that went well."""
        if self.decided.is_set():
            return
        self._latencies_ms.append(segmentation.invoke_ms)
        if len(self._latencies_ms) >= self._frames:
            latency_ms = unhindered_ms(self._latencies_ms)
            if self._limit_ms is not None and latency_ms > self._limit_ms:
                self.reason = f"it takes {latency_ms:.1f} ms in the camera, and {self._limit_ms:.1f} ms are allowed"
            self.decided.set()

    def failed(self, error: Exception) -> None:
        """Take note that the new model failed."""
        self.reason = f"it failed on a frame ({' '.join(str(error).split())})"
        self.decided.set()


def unhindered_ms(latencies_ms: Sequence[float]) -> float:
    """Return what a model takes when nothing else wants the processor: the fastest tenth takes no longer.

    A program that starts beside the camera doubles the median of some seconds. A model that is slow is slow on
    every frame.
    """
    return sorted(latencies_ms)[len(latencies_ms) // 10]
