"""edge-seg on the device: a segmentation model, frames in, class maps out.

    from edge_seg import Segmenter, read_image

    segmenter = Segmenter.load("model.tflite")
    segmentation = segmenter.segment(read_image("photo.jpg"))
    segmentation.area_share      # {"pet": 0.31, "background": 0.62, "border": 0.07}

Names are imported when they are first used, so that `edge-seg --help` loads neither OpenCV nor a runtime.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_seg.dataset import Dataset, DatasetWriter, Sample
    from edge_seg.errors import EdgeSegError
    from edge_seg.images import read_image, read_mask
    from edge_seg.segmenter import Segmentation, Segmenter

_HOMES = {
    "Dataset": "edge_seg.dataset",
    "DatasetWriter": "edge_seg.dataset",
    "EdgeSegError": "edge_seg.errors",
    "Sample": "edge_seg.dataset",
    "Segmentation": "edge_seg.segmenter",
    "Segmenter": "edge_seg.segmenter",
    "read_image": "edge_seg.images",
    "read_mask": "edge_seg.images",
}

__all__ = [
    "Dataset",
    "DatasetWriter",
    "EdgeSegError",
    "Sample",
    "Segmentation",
    "Segmenter",
    "read_image",
    "read_mask",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("edge-seg")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'edge_seg' has no attribute '{name}'")
