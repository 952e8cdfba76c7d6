"""From a data set folder to other people's annotation formats, one module per format."""

from edge_seg.exporters.coco import CocoReport, Instance, coco_file, export_coco, instances
from edge_seg.exporters.labels import Labels
from edge_seg.exporters.masks import export_masks
from edge_seg.exporters.picture import Picture
from edge_seg.exporters.via import DrawingReport, export_via, via_project

__all__ = [
    "CocoReport",
    "DrawingReport",
    "Instance",
    "Labels",
    "Picture",
    "coco_file",
    "export_coco",
    "export_masks",
    "export_via",
    "instances",
    "via_project",
]
