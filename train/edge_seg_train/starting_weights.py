"""Starting from what another run has learned, at another input size or with other classes."""

from pathlib import Path

import keras

from edge_seg.errors import TrainingError
from edge_seg.run_folder import RunFolder

_LAST_LAYER = "classify"


def copy_weights(run: Path, model: keras.Model) -> None:
    """Set the weights of `model` to the best of `run`; the last layer keeps its own where the classes differ in number.

    Raises:
        EdgeSegError: not a run with a model.
        TrainingError: a network of another width or decoder.
    """
    folder = RunFolder(run)
    config = folder.read_config()
    source = keras.models.load_model(folder.best_model_path, compile=False)
    if len(source.weights) != len(model.weights):
        raise _other_network(run, config.alpha, config.decoder)
    for own, other in zip(model.weights, source.weights, strict=True):
        if own.shape == other.shape:
            own.assign(other)
        elif _LAST_LAYER not in own.path:
            raise _other_network(run, config.alpha, config.decoder)


def _other_network(run: Path, alpha: float, decoder: str) -> TrainingError:
    return TrainingError(
        f"{run}: is a network of alpha {alpha} with the {decoder} decoder; start from one that is alike"
    )
