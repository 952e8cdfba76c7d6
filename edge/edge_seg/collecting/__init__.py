"""Learning from the field: the frames a model was unsure of, kept with its answers to correct and train on."""

from edge_seg.collecting.collector import CollectSink
from edge_seg.collecting.limits import CollectLimits

__all__ = ["CollectLimits", "CollectSink"]
