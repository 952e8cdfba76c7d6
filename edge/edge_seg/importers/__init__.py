"""From other people's annotation formats to a data set folder, one module per format."""

from edge_seg.importers.description import Description, ImportReport
from edge_seg.importers.masks import ValueMap, import_masks, parse_value_map
from edge_seg.importers.pets import import_pets
from edge_seg.importers.via import ViaOptions, import_via

__all__ = [
    "Description",
    "ImportReport",
    "ValueMap",
    "ViaOptions",
    "import_masks",
    "import_pets",
    "import_via",
    "parse_value_map",
]
