"""How a model file is loaded: what a command line says beside the file, and what another process is told of it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from edge_seg.model_identity import ModelIdentity
from edge_seg.segmenter import Segmenter


class Loading(BaseModel):
    """The arguments of `Segmenter.load` beside the model; see there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    runtime: str
    threads: int = 1
    labels: tuple[str, ...] | None = None
    input_range: str | None = None

    def load(self, model: Path, identity: ModelIdentity | None = None) -> Segmenter:
        """Load a model file, which is called what `identity` says, if that is given.

        Raises:
            ModelError: as `Segmenter.load` does.
            MissingExtraError: as there.
        """
        return Segmenter.load(
            model,
            runtime=self.runtime,
            threads=self.threads,
            labels=self.labels,
            input_range=self.input_range,
            identity=identity,
        )
