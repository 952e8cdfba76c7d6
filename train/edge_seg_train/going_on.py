"""One command that begins a run or goes on with it, as schedulers need, which repeat the command they were given."""

from pathlib import Path

from edge_seg.errors import TrainingError
from edge_seg.run_config import RunConfig, read_config
from edge_seg.run_folder import RunFolder
from edge_seg_train.run_status import MAY_MOVE, is_begun
from edge_seg_train.training import Progress, Run, resume, start


def begin_or_go_on(config: RunConfig, out: Path, progress: Progress) -> Run:
    """Begin the run `out`, or go on with it after its last whole epoch.

    Of several machines each looks at the folder for itself: those that begin and those that go on with a run without a
    whole epoch do the same, and those that see another epoch than the first are told so when all have gathered.

    Raises:
        TrainingError: a run that was begun with other settings; and as `start` and `resume`.
    """
    folder = RunFolder(out)
    if not is_begun(folder):
        return start(config, out, progress)
    check_same_settings(folder, config)
    return resume(out, progress, {name: getattr(config, name) for name in MAY_MOVE})


def check_same_settings(folder: RunFolder, config: RunConfig) -> None:
    """Raise TrainingError when the run in `folder` was begun with other settings."""
    there = read_config(folder.config_path)
    for name in RunConfig.model_fields:
        was, now = getattr(there, name), getattr(config, name)
        if was != now and name not in MAY_MOVE:
            raise TrainingError(
                f"{folder.path}: was begun with {name} {was}, not {now}; give the options it has, or another --out"
            )
