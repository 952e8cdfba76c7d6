"""What a converted model says of itself."""

from collections.abc import Sequence
from importlib.metadata import version

from edge_seg.dataset import Dataset
from edge_seg.dataset.content_hash import content_hash as dataset_hash
from edge_seg.model_info import Calibration, DataProvenance, ModelInfo, OutputKind
from edge_seg_convert.calibration import Candidate, content_hash
from edge_seg_convert.keras_export import Exported
from edge_seg_convert.sources import Source


def describe(source: Source, exported: Exported, output: OutputKind) -> ModelInfo:
    """Return what all precisions of a network have in common; the rest comes later.

    Args:
        source: the network.
        exported: what TensorFlow made of it.
        output: what the model gives.
    """
    return ModelInfo(
        name=source.name,
        classes=source.classes,
        input_height=exported.height,
        input_width=exported.width,
        precision="float32",
        output=output,
        data=_data(source.dataset) if source.dataset else DataProvenance(name="not stated"),
        source=source.provenance,
        training=source.training,
        versions={
            "edge-seg": version("edge-seg"),
            "litert-quantizer": version("litert-quantizer"),
            **exported.versions,
        },
    )


def _data(dataset: Dataset) -> DataProvenance:
    return DataProvenance(
        name=dataset.manifest.name,
        source=dataset.manifest.source,
        licence=dataset.manifest.licence,
        train_images=len(dataset.samples("train")),
        val_images=len(dataset.samples("val")),
        sha256=dataset_hash(dataset),
    )


def describe_calibration(chosen: Sequence[Candidate]) -> Calibration | None:
    """Describe the pictures of int8; None when there are none."""
    if not chosen:
        return None
    choice = "distinct training pictures that cover classes and brightness"
    return Calibration(images=len(chosen), choice=choice, sha256=content_hash(chosen))
