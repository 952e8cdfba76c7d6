"""Folders of models that `edge-seg convert` wrote: which run they came from, and their files."""

from pathlib import Path

from edge_seg.errors import BenchmarkError

_SUFFIX = "_int8.tflite"


def run_name(folder: Path, command: str) -> str:
    """Return the run that a folder's models came from, by the name of its int8 model; `command` would write one.

    Raises:
        BenchmarkError: the folder holds int8 models of no run, or of several.
    """
    names = sorted(path.name.removesuffix(_SUFFIX) for path in folder.glob(f"*{_SUFFIX}"))
    if len(names) != 1:
        held = ", ".join(names) or "none"
        raise BenchmarkError(
            f"{folder}: holds int8 models of {len(names)} runs ({held}), and one is measured; type  {command}"
        )
    return names[0]


def existing_file(path: Path, command: str) -> Path:
    """Return `path`; `command` would write it.

    Raises:
        BenchmarkError: no such file.
    """
    if not path.is_file():
        raise BenchmarkError(f"{path}: no such file; type  {command}")
    return path
