"""What a model file says of itself: `edge_seg.json`, packed into the .tflite as TFLite metadata packs files.

TFLite metadata appends its associated files to the flatbuffer as a ZIP archive
(https://ai.google.dev/edge/litert/conversion/tensorflow/metadata), so the standard library reads them.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_seg.classes import SegmentationClass
from edge_seg.errors import ModelError
from edge_seg.validation import first_fault

INFO_FILE = "edge_seg.json"
LABELS_FILE = "labels.txt"
_LONGEST_ARCHIVE_BYTES = 1 << 16

Precision = Literal["float32", "float16", "dynamic", "int8"]
OutputKind = Literal["scores", "classes"]


class DataProvenance(BaseModel):
    """The data set a model learned from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str = ""
    licence: str = ""
    train_images: int = 0
    val_images: int = 0
    sha256: str = ""
    """Of its description, pictures and masks, as edge_seg.dataset.content_hash takes it."""


class Calibration(BaseModel):
    """The pictures that int8's ranges were measured on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: int
    choice: str
    """How they were chosen."""
    sha256: str
    """Of their pixels at network size, in order."""


class ModelInfo(BaseModel):
    """edge_seg.json: everything a runner or a reader wants to know that tensors do not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Literal[1] = 1
    name: str
    classes: tuple[SegmentationClass, ...] = Field(min_length=2)
    input_height: int
    input_width: int
    precision: Precision
    float_layers: tuple[str, ...] = ()
    """Layers of an int8 model that were kept in float, by their names in Keras."""
    output: OutputKind = "scores"
    data: DataProvenance
    metrics: dict[str, float] = {}
    """Measured at full image resolution on the validation split, e.g. {"miou": 0.74, "iou_pet": 0.8}."""
    float_metrics: dict[str, float] = {}
    """The same figures of the float network it was made from, on the same pictures."""
    source: str = ""
    """The run, or the file of somebody else's model, that it came from, and the SHA-256 of its network."""
    training: dict[str, str | int | float | bool | None] = {}
    """The resolved configuration of the run."""
    calibration: Calibration | None = None
    converter: dict[str, str] = {}
    """How it was converted, e.g. {"quantizer": "litert", "rewrite": "auto"}."""
    versions: dict[str, str] = {}
    """The tools that made it, e.g. {"edge-seg": "0.1.0", "tensorflow": "2.21.0"}."""


def read_model_info(path: Path) -> ModelInfo | None:
    """Read a model's own description, or None for a model that edge-seg did not make.

    Raises:
        ModelError: a description is there but damaged.
    """
    text = read_packed_file(path, INFO_FILE)
    if text is None:
        return None
    try:
        return ModelInfo.model_validate_json(text)
    except ValidationError as error:
        raise ModelError(
            f"{path}: its {INFO_FILE} is damaged ({first_fault(error)}); convert the model again"
        ) from None


def read_labels(path: Path) -> tuple[str, ...]:
    """Read class names packed as TFLite metadata (labels.txt, labelmap.txt), or () when there are none."""
    for name in _packed_names(path):
        if name.endswith(".txt") and "label" in name:
            lines = (read_packed_file(path, name) or "").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return ()


def read_packed_file(path: Path, name: str) -> str | None:
    """Read one text file packed into a .tflite, or None when it is not there."""
    if name not in _packed_names(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name).decode("utf-8")
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, OSError, EOFError, RuntimeError) as error:
        # RuntimeError: encrypted, or (NotImplementedError) compressed by a method zipfile does not know.
        raise ModelError(f"{path}: its {name} is damaged ({error}); convert the model again") from None


def _packed_names(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        _refuse_cut_off(path)
        return []
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile as error:
        raise ModelError(f"{path}: its metadata is damaged ({error}); convert the model again") from None


def _refuse_cut_off(path: Path) -> None:
    """Raise ModelError for a model of ours that lost the end of its ZIP archive, and with it its class names."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_ARCHIVE_BYTES))
        if INFO_FILE.encode() in file.read():
            raise ModelError(f"{path}: its metadata is cut off; copy the file again or convert the model again")
