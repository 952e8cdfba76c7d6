"""What has become of a run, told by its folder; needs no TensorFlow."""

from collections.abc import Sequence

from edge_seg.run_config import read_config
from edge_seg.run_folder import RunFolder
from edge_seg_train.history import Epoch, is_over, read_history

MAY_MOVE = ("data", "cache", "strategy")
"""Fields of RunConfig that do not decide what a run gives, so that they may change before it goes on."""


def is_begun(folder: RunFolder) -> bool:
    """True for a run that can be resumed, or is finished."""
    return folder.config_path.is_file()


def is_finished(folder: RunFolder) -> bool:
    """True for a run that no epoch is left to do of."""
    if not is_begun(folder) or folder.state_path.is_file():
        return False
    config = read_config(folder.config_path)
    return is_over(whole_epochs(folder), config.epochs, config.patience)


def whole_epochs(folder: RunFolder) -> Sequence[Epoch]:
    """Return the epochs of a run that its folder vouches for.

    One that was killed in its very first epoch may have a model and a line of history, yet neither state nor report:
    that epoch is done again.
    """
    if not folder.history_path.is_file():
        return ()
    epochs = read_history(folder.history_path)
    is_first_alone = len(epochs) == 1 and not folder.state_path.is_file() and not folder.report_path.is_file()
    return () if is_first_alone else epochs
