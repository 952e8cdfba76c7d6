"""Starting from what another run has learned, at another input size or with other classes."""

from pathlib import Path

import keras

from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.kept_network import load_network

_LAST_LAYER = "classify"


def check_alike(run: Path, config: RunConfig) -> None:
    """Find what rules `run` out as a start for the run of `config`.

    Raises:
        EdgeSegError: not a run with a model.
        TrainingError: a network of another width, decoder or input range.
    """
    there = RunFolder(run).read_config()
    for name in ("alpha", "decoder", "input_range"):
        was, wanted = getattr(there, name), getattr(config, name)
        if was != wanted:
            label = name.replace("_", "-")
            raise TrainingError(
                f"{run}: its network has {label} {was}, not {wanted}; add --{label} {was}, or start from another run"
            )


def copy_weights(run: Path, model: keras.Model) -> None:
    """Set the weights of `model` to the best of `run`; the last layer keeps its own where the classes differ in number.

    Raises:
        TrainingError: a damaged network, or one of other layers.
    """
    folder = RunFolder(run)
    source = load_network(folder)
    if len(source.weights) != len(model.weights):
        raise _other_network(run)
    for own, other in zip(model.weights, source.weights, strict=True):
        if own.shape == other.shape:
            own.assign(other)
        elif _LAST_LAYER not in own.path:
            raise _other_network(run)


def _other_network(run: Path) -> TrainingError:
    return TrainingError(f"{run}: its network has other layers than this version of edge-seg builds; train it again")
