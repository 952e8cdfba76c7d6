"""The pictures of a simulated camera, without a camera and without a model: a small class map with planned shares."""

import random
from collections.abc import Mapping, Sequence

import numpy as np

from edge_seg.classes import SegmentationClass, make_classes
from edge_seg.images import ClassMap, RgbImage
from edge_seg.segmenter import Segmentation
from edge_seg_bench.fleet.plan import WATCHED, Incident, Watched

HEIGHT, WIDTH = 48, 64
CLASSES: tuple[SegmentationClass, ...] = make_classes(["background", "fire", "water"])
_FIRE, _WATER = 1, 2


class Scene:
    """What one camera sees, frame by frame."""

    def __init__(self, incidents: Sequence[Incident], chance: random.Random) -> None:
        self._chance = chance
        self._high = {watched.alert: set[int]() for watched in WATCHED}
        for incident in incidents:
            self._high[incident.alert].update(range(incident.first_frame, incident.end_frame))

    def segmentation(self, frame: int) -> Segmentation:
        """Return what a model would have seen in a frame."""
        shares = {watched.alert: self._chance.uniform(*self._range(watched, frame)) for watched in WATCHED}
        return Segmentation(class_map(shares), CLASSES, preprocess_ms=1.0, invoke_ms=20.0, postprocess_ms=1.0)

    def _range(self, watched: Watched, frame: int) -> tuple[float, float]:
        return watched.high if frame in self._high[watched.alert] else watched.quiet


def class_map(shares: Mapping[str, float]) -> ClassMap:
    """Return a map [48, 64] with fire from the top and water from the bottom, each of its share of the pixels."""
    ids = np.zeros(HEIGHT * WIDTH, np.uint8)
    ids[: round(shares["fire"] * ids.size)] = _FIRE
    ids[ids.size - round(shares["flood"] * ids.size) :] = _WATER
    return ids.reshape(HEIGHT, WIDTH)


def photograph() -> RgbImage:
    """Return the picture behind all class maps, [48, 64, 3] uint8."""
    return np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
