"""Reading what runs left behind; needs no TensorFlow."""

import os
from collections.abc import Sequence
from pathlib import Path

from edge_seg.errors import TrainingError
from edge_seg.run_folder import RunFolder
from edge_seg_train.comparison.experiments import Result
from edge_seg_train.history import read_history
from edge_seg_train.run_status import is_begun, is_finished


def read_result(path: Path, name: str | None = None) -> Result:
    """Read the run in `path`, under its folder's name or another one.

    Raises:
        EdgeSegError: not a run, one without an epoch yet, or a damaged one.
    """
    folder = RunFolder(path)
    if is_begun(folder) and not folder.best_model_path.is_file():
        raise TrainingError(f"{path}: has no epoch yet; go on with it by  edge-seg train --resume {path}")
    config, classes = folder.read_config(), folder.read_manifest().classes
    epochs = read_history(folder.history_path)
    if not epochs or any(len(epoch.scores.iou) != len(classes) for epoch in epochs):
        raise TrainingError(
            f"{folder.history_path}: has {len(epochs)} epochs that do not fit the {len(classes)} classes; train again"
        )
    return Result(name or path.resolve().name, config, classes, epochs, is_finished(folder))


def only_runs(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Divide paths into runs and others: `runs/*` names reports and folders of runs as well."""
    runs = [path for path in paths if is_begun(RunFolder(path))]
    return runs, [path for path in paths if path not in runs]


def read_results(paths: Sequence[Path]) -> list[Result]:
    """Read several runs; those whose folders have one name are told apart by their paths."""
    names = [path.resolve().name for path in paths]
    unlike = [path.resolve() for path in paths]
    if len(set(unlike)) < len(unlike):
        twice = next(path for path, full in zip(paths, unlike, strict=True) if unlike.count(full) > 1)
        raise TrainingError(f"{twice}: is named more than once; name each run once")
    return [
        read_result(path, name if names.count(name) == 1 else os.path.normpath(path))
        for path, name in zip(paths, names, strict=True)
    ]
