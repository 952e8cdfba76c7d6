"""What a run was made with: versions, device, revision, and a hash of the data set's content."""

import hashlib
import platform
import subprocess
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import tomli_w

from edge_seg.dataset import Dataset
from edge_seg.dataset.content_hash import content_hash
from edge_seg.errors import TrainingError
from edge_seg.files import write_text
from edge_seg.run_folder import RunFolder
from edge_seg_train.tensorflow_setup import device_name

_PACKAGES = ("edge-seg", "tensorflow", "tensorflow-cpu", "keras", "numpy", "opencv-python-headless", "opencv-python")
_DATA_HASH, _TEACHER_HASH = "data_sha256", "teacher_sha256"


def write_environment(folder: RunFolder, dataset: Dataset, teacher: Path | None) -> None:
    """Write environment.toml; `teacher` is the run that is learned from."""
    environment = {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        _DATA_HASH: content_hash(dataset),
        _TEACHER_HASH: teacher_hash(teacher),
        "git_revision": git_revision(Path(__file__)),
        "device": device_name(),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": _versions(_PACKAGES),
    }
    write_text(folder.environment_path, tomli_w.dumps(environment))


def read_environment(folder: RunFolder) -> dict[str, object]:
    """Read environment.toml; empty for a run of a version that wrote none.

    Raises:
        TrainingError: a damaged file.
    """
    if not folder.environment_path.is_file():
        return {}
    try:
        return tomllib.loads(folder.environment_path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{folder.environment_path}: is not TOML ({error}); train again") from None


def check_same_sources(folder: RunFolder, dataset: Dataset, teacher: Path | None) -> None:
    """Raise TrainingError when the data set or the teacher is not the one the run began with."""
    recorded = read_environment(folder)
    if recorded.get(_TEACHER_HASH, "") != teacher_hash(teacher):
        raise TrainingError(
            f"{teacher}: has another network since {folder.path} began to learn from it; put the old one back, "
            "or train into another folder"
        )
    if recorded.get(_DATA_HASH) != content_hash(dataset):
        raise TrainingError(
            f"{dataset.folder}: has changed since {folder.path} began, so its result would be of neither; "
            "put it back as it was, or train into another folder"
        )


def teacher_hash(teacher: Path | None) -> str:
    """Return the SHA-256 of the network of the run `teacher`; empty without one."""
    if teacher is None:
        return ""
    with RunFolder(teacher).best_model_path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_revision(file: Path) -> str:
    """Return the commit that `file` belongs to, with "-dirty" for uncommitted changes; empty for a file not in git."""
    git = ["git", "-C", str(file.parent)]
    try:
        # A package installed inside somebody's project lies in a checkout that is not its own.
        subprocess.run([*git, "ls-files", "--error-unmatch", file.name], capture_output=True, check=True)
        described = [*git, "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(described, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _versions(packages: Sequence[str]) -> dict[str, str]:
    """Return the versions of those that are installed: TensorFlow and OpenCV come under several names."""
    versions: dict[str, str] = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions
