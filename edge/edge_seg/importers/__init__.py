"""From other people's annotation formats to a data set folder, one module per format."""

from edge_seg.importers.annotations import DrawingStyle
from edge_seg.importers.description import Description, ImportReport
from edge_seg.importers.importing import ImportOptions, import_annotations
from edge_seg.importers.labels import LabelRules, parse_label_map
from edge_seg.importers.layouts import mask_layout, values_of, voc_layout
from edge_seg.importers.mask_maps import TRIMAP, VOC, parse_mask_map, read_colour_file
from edge_seg.importers.masks import import_masks, paired, pictures_of_masks
from edge_seg.importers.pets import import_pets
from edge_seg.importers.pictures import picture_folder
from edge_seg.importers.recognition import FORMATS, annotation_files, recognise, recognise_all

__all__ = [
    "FORMATS",
    "TRIMAP",
    "VOC",
    "Description",
    "DrawingStyle",
    "ImportOptions",
    "ImportReport",
    "LabelRules",
    "annotation_files",
    "import_annotations",
    "import_masks",
    "import_pets",
    "mask_layout",
    "paired",
    "parse_label_map",
    "parse_mask_map",
    "picture_folder",
    "pictures_of_masks",
    "read_colour_file",
    "recognise",
    "recognise_all",
    "values_of",
    "voc_layout",
]
