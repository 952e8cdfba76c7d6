"""What `edge-seg convert` measured of a network and the models made from it: its conversion.json."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from edge_seg.classes import SegmentationClass
from edge_seg.errors import BenchmarkError
from edge_seg.model_info import DataProvenance
from edge_seg_bench.recording import read_recorded


class _Read(BaseModel):
    """A part of a file that another stage writes; what no card needs is kept as it is."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Network(_Read):
    """What was trained, and on what."""

    name: str
    """Of its run, and so of its recipe."""
    classes: tuple[SegmentationClass, ...]
    input_height: int
    input_width: int
    output: str
    data: DataProvenance
    source: str
    """Name and SHA-256 of the Keras file."""
    training: dict[str, str | int | float | bool | None]
    versions: dict[str, str]


class Reached(_Read):
    """What one precision gave on the validation pictures, at full image resolution."""

    precision: str
    size_bytes: int
    miou: float
    pixel_accuracy: float
    agreement_with_keras: float
    pictures: int

    def iou(self, class_name: str) -> float | None:
        """IoU of a class; None for one that occurs in neither truth nor answer."""
        return (self.model_extra or {}).get(f"iou_{class_name}")


class Conversion(_Read):
    """A conversion.json."""

    network: Network
    models: tuple[Reached, ...]

    def of(self, precision: str) -> Reached:
        """Return what a precision gave.

        Raises:
            BenchmarkError: it was not converted to.
        """
        for model in self.models:
            if model.precision == precision:
                return model
        raise BenchmarkError(f"the conversion of {self.network.name} has no {precision} model; convert the run again")


def read_conversion(path: Path) -> Conversion:
    """Read a conversion.json.

    Raises:
        BenchmarkError: no such file, damaged, or without figures: of a conversion without a data set.
    """
    return read_recorded(path, Conversion, made_by="edge-seg convert RUN --out DIR")
