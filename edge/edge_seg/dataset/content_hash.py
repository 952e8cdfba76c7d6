"""Telling whether a data set is the one it was."""

import hashlib

from edge_seg.dataset.folder import Dataset
from edge_seg.dataset.manifest import FILE_NAME


def content_hash(dataset: Dataset) -> str:
    """Return the SHA-256 of the description and of every picture and mask of train and val, in the lists' order."""
    digest = hashlib.sha256((dataset.folder / FILE_NAME).read_bytes())
    for split in ("train", "val"):
        for sample in dataset.samples(split):
            for path in (sample.image_path, sample.mask_path):
                digest.update(f"{split}/{path.name}\0".encode("utf-8", "surrogateescape"))
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
