"""The network that a run keeps, read back."""

import zipfile

import keras

from edge_seg.errors import TrainingError
from edge_seg.run_folder import RunFolder


def load_network(folder: RunFolder) -> keras.Model:
    """Load the best network of a run.

    Raises:
        TrainingError: a damaged file, or one of a Keras that this one does not read.
    """
    path = folder.best_model_path
    try:
        return keras.models.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        reason = str(error).strip().split("\n")[0]
        raise TrainingError(
            f"{path}: cannot be read as a network ({reason:.200}); put it back as it was, or train again"
        ) from None
