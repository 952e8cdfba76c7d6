"""The run folder: where training leaves what conversion and reports read.

runs/pets/
  config.toml               the resolved configuration
  dataset.toml              the classes and the provenance, as they were
  best.keras                the weights of the best epoch, scaling included
  history.csv               one line per epoch
  curves.png network.png    pictures
  samples/epoch_001.png     photograph, truth, prediction
  report.html               all of it on one page
"""

import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from edge_seg.dataset.manifest import Manifest, read_manifest
from edge_seg.errors import EdgeSegError
from edge_seg.files import write_text
from edge_seg.validation import first_fault

Decoder = Literal["separable", "transpose"]
InputRange = Literal["-1,1", "0,1"]

SIZE_STEP = 32
SMALLEST_SIZE, LARGEST_SIZE = 96, 512
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


class RunConfig(BaseModel):
    """Everything that decides what a training run gives; written resolved into the run as config.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path
    width: int = 128
    height: int = 128
    alpha: float = 1.0
    decoder: Decoder = "separable"
    epochs: Annotated[int, Field(ge=1)] = 40
    batch_size: Annotated[int, Field(ge=1)] = 16
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-3
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    fine_tune: bool = True
    encoder_weights: str = "imagenet"
    input_range: InputRange = "-1,1"
    augment: bool = True
    mixed_precision: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @field_validator("width", "height")
    @classmethod
    def _fits_the_encoder(cls, value: int) -> int:
        if value % SIZE_STEP or not SMALLEST_SIZE <= value <= LARGEST_SIZE:
            raise ValueError(
                f"a side is a multiple of {SIZE_STEP} from {SMALLEST_SIZE} to {LARGEST_SIZE}, not {value}; "
                f"try {_nearest_side(value)}"
            )
        return value

    @field_validator("alpha")
    @classmethod
    def _is_published(cls, value: float) -> float:
        if value not in ALPHAS:
            raise ValueError(f"MobileNetV2 comes with alpha {', '.join(map(str, ALPHAS))}, not {value}")
        return value


def _nearest_side(value: int) -> int:
    return min(max(round(value / SIZE_STEP) * SIZE_STEP, SMALLEST_SIZE), LARGEST_SIZE)


@dataclass(frozen=True)
class RunFolder:
    """The paths of one run."""

    path: Path

    @property
    def config_path(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.toml"

    @property
    def best_model_path(self) -> Path:
        """The Keras model of the best epoch."""
        return self.path / "best.keras"

    @property
    def history_path(self) -> Path:
        """One line per epoch."""
        return self.path / "history.csv"

    @property
    def curves_path(self) -> Path:
        """Loss and mIoU over the epochs."""
        return self.path / "curves.png"

    @property
    def network_path(self) -> Path:
        """A picture of the network."""
        return self.path / "network.png"

    @property
    def report_path(self) -> Path:
        """Everything on one page."""
        return self.path / "report.html"

    def sample_path(self, epoch: int) -> Path:
        """Photograph, truth and prediction after `epoch`, counted from 1."""
        return self.path / "samples" / f"epoch_{epoch:03d}.png"

    def write_config(self, config: RunConfig) -> None:
        """Write config.toml."""
        write_text(self.config_path, tomli_w.dumps(config.model_dump(mode="json")))

    def read_config(self) -> RunConfig:
        """Read config.toml.

        Raises:
            EdgeSegError: not a run folder, or a damaged configuration.
        """
        if not self.config_path.is_file() or not self.best_model_path.is_file():
            raise EdgeSegError(
                f"{self.path}: not a finished run (no {self.config_path.name} or {self.best_model_path.name}); "
                "make one with  edge-seg train --data DIR --out RUN"
            )
        if not zipfile.is_zipfile(self.best_model_path):
            raise EdgeSegError(f"{self.best_model_path}: is damaged (no whole .keras archive); train again")
        try:
            return RunConfig.model_validate(tomllib.loads(self.config_path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise EdgeSegError(f"{self.config_path}: is damaged ({error}); train again") from None
        except ValidationError as error:
            raise EdgeSegError(f"{self.config_path}: is damaged ({first_fault(error)}); train again") from None

    def read_manifest(self) -> Manifest:
        """Read the data set's description as it was when the run began."""
        return read_manifest(self.path)
