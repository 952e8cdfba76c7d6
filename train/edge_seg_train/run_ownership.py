"""Which process writes a run folder: one at a time, and of a cluster of machines the first."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from edge_seg.errors import TrainingError
from edge_seg.files import check_can_write, make_folder, remove_empty, remove_parts
from edge_seg.run_config import StrategyKind
from edge_seg.run_folder import RunFolder
from edge_seg_train.distribution import is_chief


@contextmanager
def new_folder(out: Path, kind: StrategyKind) -> Generator[RunFolder]:
    """Make the run folder `out` and yield it; when no epoch was done it is emptied, and removed if it was not there.

    `kind` is the strategy of the run: of several machines only the first writes, and the others yield a folder that
    is thrown away; so does `existing_folder`.

    Raises:
        TrainingError: a folder that is in use.
        OSError: a place that cannot be written.
    """
    if not is_chief(kind):
        with _thrown_away() as folder:
            yield folder
        return
    check_can_write(out)
    made = make_folder(out)
    with _locked(out):
        _check_empty(out)
        try:
            yield RunFolder(out)
        finally:
            if not _has_epochs(RunFolder(out)):
                _empty(out)
                remove_empty(made)


@contextmanager
def existing_folder(out: Path, kind: StrategyKind) -> Generator[RunFolder]:
    """Yield the run folder to go on writing; what a killed process left half-written is removed.

    Raises:
        TrainingError: another process is training in it.
    """
    if not is_chief(kind):
        with _thrown_away() as folder:
            yield folder
        return
    with _locked(out):
        remove_parts(out)
        yield RunFolder(out)


@contextmanager
def _thrown_away() -> Generator[RunFolder]:
    with tempfile.TemporaryDirectory(prefix="edge-seg-worker-") as name:
        yield RunFolder(Path(name))


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Hold a lock on the folder itself: it leaves no file, and the kernel lets go of it however the process ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TrainingError(
            f"{folder}: another process is training in it at this moment; wait for its end, or name another folder"
        ) from None
    except OSError:
        # Some network file systems lock no folders; training there is the user's right.
        return


def _check_empty(out: Path) -> None:
    if any(out.iterdir()):
        cure = f"go on with it by  --resume {out}" if RunFolder(out).config_path.is_file() else "remove it first"
        raise TrainingError(f"{out}: exists already; name another run folder, or {cure}")


def _has_epochs(folder: RunFolder) -> bool:
    """True when there is something to resume, or the run is finished."""
    return folder.state_path.is_file() or folder.report_path.is_file()


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
