"""A plain pair of folders for other tools.

images/x.jpg   the pictures, byte for byte
masks/x.png    one byte per pixel: the class id, 255 where ignored; class colours as palette
classes.txt    class names; the first line is id 0
"""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from edge_seg.classes import IGNORE_ID
from edge_seg.dataset import Dataset, Sample
from edge_seg.exporters.labels import refuse_existing
from edge_seg.files import make_folder, remove_empty
from edge_seg.images import write_mask
from edge_seg.parallel import map_in_processes
from edge_seg.progress import Track, untracked


def export_masks(dataset: Dataset, samples: Sequence[Sample], folder: Path, *, track: Track = untracked) -> int:
    """Write pictures and masks of `samples` to the new `folder`, and return how many pairs.

    Raises:
        DatasetError: `folder` exists, or a mask does not fit its picture or its classes.
        ImageError: a picture or mask that cannot be decoded.
    """
    refuse_existing(folder)
    made = make_folder(folder.parent)
    temporary = folder.with_name(f".{folder.name}.part")
    try:
        for part in ("images", "masks"):
            (temporary / part).mkdir(parents=True)
        for _ in track(map_in_processes(partial(_write_pair, dataset, temporary), samples), total=len(samples)):
            pass
        names = "".join(f"{item.name}\n" for item in dataset.classes)
        (temporary / "classes.txt").write_text(names, encoding="utf-8")
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        remove_empty(made)
    return len(samples)


def _write_pair(dataset: Dataset, folder: Path, sample: Sample) -> None:
    _, class_map = dataset.read(sample)
    plain = np.where(class_map == dataset.ignore_id, np.uint8(IGNORE_ID), class_map)
    write_mask(folder / "masks" / sample.mask_path.name, plain, [item.rgb for item in dataset.classes])
    shutil.copyfile(sample.image_path, folder / "images" / sample.name)
