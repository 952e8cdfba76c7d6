"""The run folder: where training leaves what conversion and reports read.

runs/pets/
  config.toml               the resolved configuration
  dataset.toml              the classes and the provenance, as they were
  environment.toml          versions, device, git revision and the data set's content hash
  best.keras                the network of the best epoch, scaling included
  last.npz                  what a resume needs; gone when the run is finished
  history.csv               one line per epoch
  curves.png network.png    pictures
  samples/epoch_001.png     photograph, truth, prediction
  report.html               all of it on one page
  tensorboard/              scalars, pictures and the graph
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from edge_seg.dataset.manifest import Manifest, read_manifest
from edge_seg.errors import EdgeSegError
from edge_seg.files import write_text
from edge_seg.images import RgbImage, write_image
from edge_seg.run_config import RunConfig, read_config


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
    def state_path(self) -> Path:
        """What a resume needs: weights, optimiser and counters after the last whole epoch."""
        return self.path / "last.npz"

    @property
    def environment_path(self) -> Path:
        """What the run was made with."""
        return self.path / "environment.toml"

    @property
    def tensorboard_path(self) -> Path:
        """TensorBoard's logs."""
        return self.path / "tensorboard"

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

    def write_sample(self, epoch: int, sheet: RgbImage) -> None:
        """Write the sample pictures of `epoch`."""
        write_image(self.sample_path(epoch), sheet)

    def write_config(self, config: RunConfig) -> None:
        """Write config.toml."""
        write_text(self.config_path, config.to_toml())

    def read_config(self) -> RunConfig:
        """Read config.toml of a run that has a model.

        Raises:
            EdgeSegError: not a run folder, no model yet, or a damaged one.
        """
        if not self.config_path.is_file() or not self.best_model_path.is_file():
            raise EdgeSegError(
                f"{self.path}: not a finished run (no {self.config_path.name} or {self.best_model_path.name}); "
                "make one with  edge-seg train --data DIR --out RUN"
            )
        if not zipfile.is_zipfile(self.best_model_path):
            raise EdgeSegError(f"{self.best_model_path}: is damaged (no whole .keras archive); train again")
        return read_config(self.config_path)

    def read_manifest(self) -> Manifest:
        """Read the data set's description as it was when the run began."""
        return read_manifest(self.path)
