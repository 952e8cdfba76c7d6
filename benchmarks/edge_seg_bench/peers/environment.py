"""A Python that tflite_runtime runs in: it stops at Python 3.11 and NumPy 1, which our environment need not have."""

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from importlib.metadata import requires
from pathlib import Path

from edge_seg.errors import BenchmarkError
from edge_seg_bench.arm64.programs import run
from edge_seg_bench.arm64.userland import default_folder, device_requirements, link_project
from edge_seg_bench.worker_process import Interpreter

_NEWEST_PYTHON = (3, 11)
_CURE = "give --tflite-python a Python 3.11 with what tflite_runtime needs"


def tflite_requirements() -> Sequence[str]:
    """Return what a worker with tflite_runtime needs."""
    return device_requirements(requires("edge-seg") or [], "tflite_runtime", None)


def prepare(announce: Callable[[str], None], version: Sequence[int] = sys.version_info[:2]) -> Interpreter:
    """Return an interpreter with tflite_runtime, in the user's cache; made the first time, which takes a minute.

    Raises:
        BenchmarkError: it cannot be made: this Python is too new, or pip finds no package.
    """
    if tuple(version) > _NEWEST_PYTHON:
        found = ".".join(map(str, version))
        raise BenchmarkError(f"tflite_runtime stops at Python 3.11, and this is {found}; {_CURE}")
    requirements = tflite_requirements()
    identity = hashlib.sha256("\n".join([sys.version, *requirements]).encode()).hexdigest()[:12]
    folder = cache_folder() / f"tflite_runtime-{identity}"
    complete = folder / "complete"
    if not complete.exists():
        announce(f"a Python with tflite_runtime, in {folder}: once, about a minute")
        install(folder, requirements)
        complete.touch()
    return interpreter(folder / "bin/python")


def interpreter(python: Path) -> Interpreter:
    """Return `python` with the code of edge-seg that runs this, and nothing else that lies beside it."""
    return Interpreter(str(python), link_project(cache_folder() / "project"))


def cache_folder() -> Path:
    """Return the folder for interpreters in the user's cache."""
    return default_folder().with_name("peers")


def install(folder: Path, requirements: Sequence[str]) -> None:
    """Make a virtual environment in `folder`, instead of what is there, and install wheels into it.

    Raises:
        BenchmarkError: the environment cannot be made, or pip finds no wheel.
    """
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except subprocess.CalledProcessError as error:
        raise BenchmarkError(f"{folder}: no virtual environment could be made ({error}); {_CURE}") from None
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--only-binary=:all:", *requirements], doing="installing tflite_runtime")
