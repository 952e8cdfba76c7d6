"""An ONNX model beside the .tflite files: exported, verified, then written."""

from dataclasses import dataclass
from pathlib import Path

from edge_seg.dataset import Dataset
from edge_seg.errors import ConversionError
from edge_seg.files import write_bytes
from edge_seg.model_info import ModelInfo
from edge_seg.resampling import shrink_image
from edge_seg_convert import onnx_export
from edge_seg_convert.onnx_verification import agreement

PICTURES = 10
"""Validation pictures that it is verified on."""

LEAST_AGREEMENT = 0.999
"""Share of pixels with float32's class. Both compute in float32 and differ in the order of sums alone."""


@dataclass(frozen=True)
class OnnxModel:
    """An ONNX model that was written.

    `agreement` is the share of pixels to which it and the float32 .tflite give the same class at network size.
    """

    path: Path
    size_bytes: int
    agreement: float
    pictures: int

    @property
    def sentence(self) -> str:
        """Say it in words."""
        return (
            f"ONNX {self.path.name}: {self.size_bytes / 1e6:.2f} MB; {100 * self.agreement:.2f} % of the pixels of "
            f"{self.pictures} pictures have the class that float32 gives"
        )

    def summary(self) -> dict[str, object]:
        """Say it in plain JSON types."""
        return {
            "file": self.path.name,
            "size_bytes": self.size_bytes,
            "agreement_with_float32": round(self.agreement, 5),
            "pictures": self.pictures,
        }


def write_onnx(float_model: Path, info: ModelInfo, dataset: Dataset, path: Path, work: Path) -> OnnxModel:
    """Convert a float32 .tflite with scores to ONNX, verify it on validation pictures, and write it to `path`.

    Args:
        float_model: the float32 .tflite, scores out.
        info: what the model says of itself; `info.output` is what the ONNX model gives.
        dataset: its `val` split is used.
        path: where it goes.
        work: folder for files on their way.

    Raises:
        ConversionError: tf2onnx cannot convert it, or ONNX Runtime gives other classes.
    """
    draft = work / path.name
    onnx_export.export(float_model, info, draft)
    samples = dataset.samples("val")[:PICTURES]
    pictures = [shrink_image(dataset.read(sample)[0], info.input_height, info.input_width) for sample in samples]
    share = agreement(draft, float_model, pictures, work)
    if share < LEAST_AGREEMENT:
        raise ConversionError(
            f"{path.name} not written: only {100 * share:.2f} % of its pixels have the class that the float32 .tflite "
            f"gives, not {100 * LEAST_AGREEMENT:g} %; report this with the model"
        )
    model = draft.read_bytes()
    write_bytes(path, model)
    return OnnxModel(path, len(model), share, len(pictures))
