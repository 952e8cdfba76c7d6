"""dataset.toml: what a data set says of itself."""

import tomllib
from pathlib import Path

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_seg.classes import IGNORE_ID, SegmentationClass
from edge_seg.errors import DatasetError
from edge_seg.files import write_text
from edge_seg.validation import first_fault

FILE_NAME = "dataset.toml"


class SplitPolicy(BaseModel):
    """How the pictures were divided; recorded so that a score can be judged.

    Attributes:
        policy: "random", "stratified" (every class gets its share in every split) or "given lists".
        grouped_by: what kept pictures together, such as "similar pictures"; empty for nothing.
        seed: of the random choices.
        val: share of the pictures that was asked for.
        test: share of the pictures that was asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: str = "random"
    grouped_by: str = ""
    seed: int = 0
    val: float = Field(default=0.2, ge=0, lt=1)
    test: float = Field(default=0.0, ge=0, lt=1)


class Manifest(BaseModel):
    """The content of dataset.toml; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    classes: tuple[SegmentationClass, ...] = Field(min_length=1)
    ignore_id: int = Field(default=IGNORE_ID, ge=0, le=255)
    source: str = ""
    licence: str = ""
    split: SplitPolicy = SplitPolicy()

    @model_validator(mode="after")
    def _ids_and_names_are_clear(self) -> "Manifest":
        ids = [item.id for item in self.classes]
        if ids != list(range(len(ids))):
            raise ValueError(f"class ids count from 0 in order, got {ids}")
        if len(set(self.class_names)) != len(ids):
            raise ValueError(f"class names must differ, got {', '.join(self.class_names)}")
        if self.ignore_id < len(ids):
            raise ValueError(f"ignore_id {self.ignore_id} is also the class '{self.classes[self.ignore_id].name}'")
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names in the order of their ids."""
        return tuple(item.name for item in self.classes)


def read_manifest(folder: Path) -> Manifest:
    """Read and check `folder`/dataset.toml.

    Raises:
        DatasetError: absent, not TOML, or not keeping the schema; the sentence names the key.
    """
    path = folder / FILE_NAME
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder; make a data set with  edge-seg data import")
    if not path.is_file():
        raise DatasetError(f"{folder}: has no {FILE_NAME}; make a data set with  edge-seg data import")
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: is not TOML ({error}); correct that line") from None
    except ValidationError as error:
        raise DatasetError(f"{path}: {first_fault(error)}; correct it") from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `folder`/dataset.toml atomically."""
    write_text(folder / FILE_NAME, tomli_w.dumps(manifest.model_dump(mode="json")))
