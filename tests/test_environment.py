"""What a run was made with, and whether that is still there when it goes on."""

import subprocess
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs edge-seg[train]")

from edge_seg_train.tensorflow_setup import prepare_tensorflow

prepare_tensorflow()

from edge_seg.dataset import Dataset, SplitPolicy
from edge_seg.errors import TrainingError
from edge_seg.run_folder import RunFolder
from edge_seg.synthetic import generate_dataset
from edge_seg_train.environment import check_same_sources, git_revision, read_environment, write_environment


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("data") / "data"
    generate_dataset(folder, count=4, size=32, split=SplitPolicy(val=0.25), numbers=range(4))
    return Dataset.open(folder)


def teacher_with(network: bytes, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    RunFolder(folder).best_model_path.write_bytes(network)
    return folder


def test_versions_of_what_is_installed_are_recorded(dataset: Dataset, tmp_path: Path) -> None:
    write_environment(RunFolder(tmp_path), dataset, None)
    packages = read_environment(RunFolder(tmp_path))["packages"]
    assert isinstance(packages, dict)
    assert {"edge-seg", "keras", "numpy"} <= packages.keys()
    assert "" not in packages.values()


def test_another_network_under_the_teachers_name_is_noticed(dataset: Dataset, tmp_path: Path) -> None:
    run, teacher = RunFolder(tmp_path / "run"), teacher_with(b"old", tmp_path / "teacher")
    run.path.mkdir()
    write_environment(run, dataset, teacher)
    check_same_sources(run, dataset, teacher)
    teacher_with(b"new", teacher)
    with pytest.raises(TrainingError, match="has another network since"):
        check_same_sources(run, dataset, teacher)


def test_a_revision_is_that_of_the_file_and_not_of_a_project_around_it(tmp_path: Path) -> None:
    tracked, untracked = tmp_path / "tracked.py", tmp_path / "site-packages.py"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@x"]
    assert git_revision(tracked) == ""
    tracked.touch()
    for arguments in (["init", "-q"], ["add", "tracked.py"], ["commit", "-qm", "Begin"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    untracked.touch()
    assert len(git_revision(tracked)) == 12
    assert git_revision(untracked) == ""
