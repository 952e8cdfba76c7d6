"""Oxford-IIIT Pet (Parkhi et al., CVPR 2012), downloaded by tensorflow-datasets."""

import logging
import tempfile
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.classes import IGNORE_ID, make_classes
from edge_seg.dataset.folder import check_pair
from edge_seg.errors import DatasetError
from edge_seg.extras import require_extra
from edge_seg.images import read_image
from edge_seg.importers.description import Description, ImportReport
from edge_seg.importers.mask_maps import TRIMAP
from edge_seg.progress import Track, untracked

HOMEPAGE = "https://www.robots.ox.ac.uk/~vgg/data/pets/"
LICENCE = "CC-BY-SA-4.0"


def import_pets(
    out: Path, description: Description, *, download_folder: Path | None = None, track: Track = untracked
) -> ImportReport:
    """Download Oxford-IIIT Pet (800 MB) and make the data set `out`: pet, background, border.

    The published train and test parts are joined and divided anew as `description.split` says.
    Pictures are the published files byte for byte, save twelve that tensorflow-datasets repairs.

    Args:
        out: the data set folder to make.
        description: name, source, licence and split of the new data set.
        download_folder: where the download is kept; None is tensorflow-datasets' own folder.
        track: shows progress over the pictures.

    Raises:
        MissingExtraError: tensorflow-datasets or TensorFlow is not installed.
        DatasetError: the download failed, or `out` exists.
    """
    require_extra("pets", purpose="downloading Oxford-IIIT Pet")
    writer = description.writer(out, make_classes(TRIMAP.class_names))
    examples, count = _download(download_folder), 0
    with writer, tempfile.TemporaryDirectory() as folder:
        for example in track(examples):
            path = Path(folder) / Path(example["file_name"].decode()).name
            path.write_bytes(example["image"])
            mask = TRIMAP.apply(np.asarray(example["segmentation_mask"], np.uint8)[:, :, 0], path)
            check_pair(read_image(path), mask, path, len(TRIMAP.class_names), IGNORE_ID)
            writer.add_file(path, mask)
            path.unlink()
            count += 1
    return ImportReport(count)


def _download(folder: Path | None) -> Iterable[Mapping[str, Any]]:
    """Return the examples with undecoded pictures: no second JPEG compression."""
    # By name, because the device package must not depend on TensorFlow, which this one imports.
    tfds: Any = import_module("tensorflow_datasets")
    download: Any = import_module("tensorflow_datasets.core.download")
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # else a warning for each of its retries
    try:
        examples = tfds.load(
            "oxford_iiit_pet:4.*.*",
            split="train+test",
            data_dir=None if folder is None else str(folder),
            decoders={"image": tfds.decode.SkipDecoding()},
        )
    except (OSError, download.DownloadError) as error:
        raise DatasetError(
            f"Oxford-IIIT Pet could not be downloaded ({str(error) or type(error).__name__:.120}); check the "
            f"network, or fetch {HOMEPAGE} by hand and use  edge-seg data import masks images "
            "annotations/trimaps --map 1=pet,2=background,3=border"
        ) from None
    return tfds.as_numpy(examples)
