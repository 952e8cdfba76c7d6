"""Making the runs of a comparison: each in a folder of its own, as far as it is not made yet."""

import gc
from typing import Any

import keras

from edge_seg.dataset import Dataset
from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig, read_config
from edge_seg.run_folder import RunFolder
from edge_seg_train.comparison.experiments import differing_fields
from edge_seg_train.environment import check_same_sources
from edge_seg_train.run_status import is_begun
from edge_seg_train.training import Progress, Run, resume, start


def check_same_settings(folder: RunFolder, config: RunConfig) -> None:
    """Raise TrainingError when a run is there that was begun with other settings, or on other data."""
    if not is_begun(folder):
        return
    there = read_config(folder.config_path)
    different = differing_fields([_with_whole_path(there), _with_whole_path(config)])
    if different:
        was, now = (", ".join(_said(name, each) for name in different) for each in (there, config))
        raise TrainingError(
            f"{folder.path}: was begun with {was}, not with {now}, so the two cannot be compared; "
            "give the settings it has, or another --out"
        )
    if folder.environment_path.is_file():  # one killed before it was written has seen no data
        check_same_sources(folder, Dataset.open(config.data), config.teacher)


def advance(config: RunConfig, folder: RunFolder, progress: Progress) -> Run:
    """Begin the run, or go on with it; what it held in memory is let go at the end.

    Raises:
        TrainingError, DatasetError: as `start` and `resume`.
    """
    try:
        return resume(folder.path, progress) if is_begun(folder) else start(config, folder.path, progress)
    finally:
        # One process for all runs: without this each would leave its graph behind.
        keras.backend.clear_session()
        gc.collect()


def _with_whole_path(config: RunConfig) -> RunConfig:
    return config.model_copy(update={"data": config.data.resolve()})


def _said(name: str, config: RunConfig) -> str:
    value: Any = getattr(config, name)
    return f"{name} {str(value).lower() if isinstance(value, bool) else value}"
