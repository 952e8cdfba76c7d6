"""Folders of pictures and masks that are told by the names of their parts."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from edge_seg.errors import DatasetError, ImageError
from edge_seg.images import mask_mode, read_mask
from edge_seg.importers.mask_maps import TRIMAP, VOC, MaskMap, read_colour_file
from edge_seg.importers.masks import Pairs, paired, pictures_of_masks

_VOC_PICTURES = "JPEGImages"
_VOC_MASKS = ("SegmentationClass", "SegmentationClassPNG")
_MASK_FOLDERS = (("images", "annotations/trimaps"), ("images", "masks"), ("images", "mask"))
_SAMPLED_MASKS = 20


@dataclass(frozen=True)
class MaskLayout:
    """Pairs found in a folder; `mask_map` is what their values mean, None where the layout does not say."""

    pairs: Pairs
    masks: Path
    mask_map: MaskMap | None


def voc_layout(folder: Path) -> MaskLayout:
    """Pair JPEGImages with SegmentationClass; a labelmap.txt beside them, as CVAT writes it, names the classes.

    Raises:
        DatasetError: another layout, a mask without picture, or a labelmap.txt that is no list of colours.
    """
    masks = next((folder / name for name in _VOC_MASKS if (folder / name).is_dir()), None)
    if masks is None or not (folder / _VOC_PICTURES).is_dir():
        raise DatasetError(
            f"{folder}: has no {_VOC_PICTURES} and {_VOC_MASKS[0]}; "
            "name the folder that holds both, as VOCdevkit/VOC2012"
        )
    label_map = folder / "labelmap.txt"
    mask_map = read_colour_file(label_map) if label_map.is_file() else VOC
    return MaskLayout(pictures_of_masks(folder / _VOC_PICTURES, masks), masks, mask_map)


def mask_layout(folder: Path) -> MaskLayout | None:
    """Return what a folder holds when it is Pascal VOC's, Oxford Pet's, or has images and masks; else None.

    Raises:
        DatasetError: as `voc_layout`, `paired` and `pictures_of_masks`.
    """
    if (folder / _VOC_PICTURES).is_dir():
        return voc_layout(folder)
    for images, masks in _MASK_FOLDERS:
        if (folder / images).is_dir() and (folder / masks).is_dir():
            pairs = (pictures_of_masks if "trimaps" in masks else paired)(folder / images, folder / masks)
            return MaskLayout(pairs, folder / masks, TRIMAP if values_of(pairs) == [1, 2, 3] else None)
    return None


def values_of(pairs: Pairs) -> list[int]:
    """Return the values that the first masks hold; none when they hold colours or cannot be read."""
    found: set[int] = set()
    for _, mask in islice(pairs.pairs, _SAMPLED_MASKS):
        try:
            if mask_mode(mask) in ("L", "P", "1"):
                found |= set(np.unique(read_mask(mask)).tolist())
        except ImageError:
            continue  # told when it is imported
    return sorted(found)
