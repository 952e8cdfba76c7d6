"""What a resume needs, in one file: every variable of the learner, and how many epochs are done."""

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_seg.errors import TrainingError
from edge_seg.files import atomic_path
from edge_seg.run_config import RunConfig

_EPOCHS_DONE, _SETTINGS = "epochs_done", "settings_sha256"
# May change before a resume: where things are, who computes, and what is in the state already.
_WITHOUT_INFLUENCE = {"data", "cache", "strategy", "encoder_weights", "start_from"}


def save_state(path: Path, variables: Sequence[Any], epochs_done: int, config: RunConfig) -> None:
    """Write the variables (tf.Variable, in a fixed order) as .npz; a reader sees the old file or the whole new one."""
    arrays = {f"{index:05d}": variable.numpy() for index, variable in enumerate(variables)}
    own = {_EPOCHS_DONE: np.int64(epochs_done), _SETTINGS: np.str_(_settings_hash(config))}
    with atomic_path(path) as temporary:
        np.savez(temporary, allow_pickle=False, **own, **arrays)


def run_id(config: RunConfig, data_sha256: str, path: Path) -> str:
    """Return what is the same for two machines that are about to do the same run: settings, data, and state if any."""
    digest = hashlib.sha256(f"{_settings_hash(config)} {data_sha256} ".encode())
    digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()


def restore_state(path: Path, variables: Sequence[Any], config: RunConfig) -> int:
    """Set the variables to what `save_state` wrote; return how many epochs were done.

    Raises:
        TrainingError: a damaged file, or one of another run or network.
    """
    arrays = _read(path)
    epochs_done, settings = (arrays.pop(name, None) for name in (_EPOCHS_DONE, _SETTINGS))
    if epochs_done is None or settings != _settings_hash(config):
        raise TrainingError(
            f"{path}: is the state of a run with other settings; put back {path.name} or config.toml as they were"
        )
    expected = [(f"{index:05d}", tuple(each.shape), each.dtype) for index, each in enumerate(variables)]
    if [(name, array.shape, array.dtype) for name, array in sorted(arrays.items())] != expected:
        raise TrainingError(
            f"{path}: is the state of another network; resume with the version of edge-seg and Keras that began the run"
        )
    for variable, (_, array) in zip(variables, sorted(arrays.items()), strict=True):
        variable.assign(array)
    return int(epochs_done)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("no whole .npz archive")
        # NumPy leaves a file open that it opened itself and could not read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            return dict(saved)
    except (ValueError, KeyError, OSError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path}: is damaged ({error}); train again into another folder; "
            f"the best model of the run is {path.with_name('best.keras')}"
        ) from None


def _settings_hash(config: RunConfig) -> str:
    return hashlib.sha256(config.model_dump_json(exclude=_WITHOUT_INFLUENCE).encode()).hexdigest()
