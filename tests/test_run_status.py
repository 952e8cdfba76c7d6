"""What a run's folder tells of it."""

from pathlib import Path

import pytest

from edge_seg.metrics import Scores
from edge_seg.run_config import RunConfig
from edge_seg.run_folder import RunFolder
from edge_seg_train.history import Epoch, write_history
from edge_seg_train.run_status import is_begun, is_finished, whole_epochs


@pytest.mark.parametrize(
    ("epochs", "there", "whole", "finished"),
    [
        (0, [], 0, False),
        (1, [], 0, False),
        (1, ["last.npz"], 1, False),
        (2, ["last.npz", "report.html"], 2, False),
        (2, [], 2, False),
        (3, ["last.npz"], 3, False),
        (3, ["report.html"], 3, True),
        (3, [], 3, True),
    ],
)
def test_the_state_and_the_epochs_decide(
    tmp_path: Path, epochs: int, there: list[str], whole: int, finished: bool
) -> None:
    folder = RunFolder(tmp_path)
    folder.write_config(RunConfig(data=Path("data"), epochs=3))
    if epochs:
        done = [Epoch(number, 1.0, 1.0, Scores((0.5,), 0.5), 1e-3, 1.0, 0.0) for number in range(1, epochs + 1)]
        write_history(folder.history_path, done, ["leaf"])
    for name in there:
        (tmp_path / name).touch()
    assert is_begun(folder)
    assert len(whole_epochs(folder)) == whole
    assert is_finished(folder) == finished


def test_a_run_of_one_epoch_is_finished_with_its_report(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not is_begun(folder)
    assert not is_finished(folder)
    folder.write_config(RunConfig(data=Path("data"), epochs=1))
    write_history(folder.history_path, [Epoch(1, 1.0, 1.0, Scores((0.5,), 0.5), 1e-3, 1.0, 0.0)], ["leaf"])
    assert not is_finished(folder)
    folder.report_path.touch()
    assert is_finished(folder)
