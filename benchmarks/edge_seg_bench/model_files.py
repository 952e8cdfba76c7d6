"""Which model files a command line means."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from unicodedata import category

from edge_seg.errors import BenchmarkError
from edge_seg.shipped import find_model

_SUFFIX = ".tflite"


def model_files(paths: Iterable[Path]) -> list[Path]:
    """Return each file once, in order; a folder stands for the .tflite files in it, a bare name for a shipped model.

    A path that does not exist is returned: it becomes a row that says so.

    Raises:
        BenchmarkError: a folder without a .tflite file, or a name that cannot be printed.
        ModelError: a bare name that is neither a file here nor a shipped model.
        PermissionError: a file that may not be read, before the others are measured.
    """
    files = list(dict.fromkeys(file for path in paths for file in _files_of(path)))
    for file in files:
        _check_name(file)
        _check_readable(file)
    return files


def _check_name(file: Path) -> None:
    """Refuse control characters, which break tables and terminals, and the surrogates of bytes that are not UTF-8."""
    if any(category(character) in ("Cc", "Cs") for character in str(file)):
        raise BenchmarkError(f"{str(file)!a}: this name cannot be printed; rename it")


def _check_readable(file: Path) -> None:
    if file.is_file() and not os.access(file, os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [find_model(path)]
    files = sorted(file for file in path.iterdir() if file.suffix == _SUFFIX and file.is_file())
    if not files:
        raise BenchmarkError(
            f"{path}: this folder holds no {_SUFFIX} file; `edge-seg convert` writes them into its --out folder"
        )
    return files
