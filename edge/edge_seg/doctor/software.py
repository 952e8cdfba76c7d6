"""Python, its environment, OpenCV, and what the runtime makes of the shipped model."""

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from edge_seg.doctor.kernel_files import key_values, read
from edge_seg.errors import EdgeSegError
from edge_seg.extras import EXTRAS, missing_module

_RUNTIMES = {
    "litert": ("ai_edge_litert", "ai-edge-litert"),
    "tflite_runtime": ("tflite_runtime", "tflite-runtime"),
}


@dataclass(frozen=True)
class PythonEnvironment:
    """The Python that runs this program."""

    version: str
    executable: str
    prefix: str
    """The virtual environment's folder, or the installation's."""
    is_venv: bool
    system_packages: bool
    """Whether it sees what apt installed, such as picamera2."""
    numpy: str


@dataclass(frozen=True)
class Runtime:
    """An inference runtime, and how much of the shipped model its delegate (XNNPACK) takes over."""

    name: str
    version: str
    """Empty where it is not installed."""
    nodes: int = 0
    delegated: int = 0
    error: str = ""
    """Why the shipped model does not load."""


@dataclass(frozen=True)
class OpenCv:
    """OpenCV, or why it cannot be imported."""

    version: str
    windows: bool = False
    error: str = ""


def read_python() -> PythonEnvironment:
    """Describe this interpreter, and read pyvenv.cfg (PEP 405) in a virtual environment."""
    settings = key_values(read(Path(sys.prefix) / "pyvenv.cfg"), "=")
    is_venv = sys.prefix != sys.base_prefix
    return PythonEnvironment(
        version=platform.python_version(),
        executable=sys.executable,
        prefix=sys.prefix,
        is_venv=is_venv,
        system_packages=not is_venv or settings.get("include-system-site-packages") == "true",
        numpy=installed_version("numpy", "numpy"),
    )


def read_runtimes(model: Path | None) -> tuple[Runtime, ...]:
    """Load `model` with each runtime that is installed."""
    return tuple(_read_runtime(name, installed_version(*names), model) for name, names in _RUNTIMES.items())


def _read_runtime(name: str, installed: str, model: Path | None) -> Runtime:
    from edge_seg.inspection import inspect_model

    if not installed or model is None:
        return Runtime(name, installed)
    try:
        coverage = inspect_model(model, runtime=name).coverage
    except EdgeSegError as error:
        return Runtime(name, installed, error=str(error))
    return Runtime(name, installed, coverage.nodes, coverage.delegated)


def read_opencv() -> OpenCv:
    """Import OpenCV; its wheels may want system libraries that a Lite system lacks."""
    try:
        import cv2

        from edge_seg.sinks.window import has_gui
    except ImportError as error:
        return OpenCv("", error=str(error))
    return OpenCv(cv2.__version__, has_gui())


def extras_installed() -> dict[str, bool]:
    """Which of edge-seg's extras have their packages installed."""
    return {extra: missing_module(extra) is None for extra in EXTRAS if extra not in ("litert", "tflite-runtime")}


def installed_version(module: str, distribution: str) -> str:
    """Return the version of an installed package, empty where it is not installed."""
    if find_spec(module) is None:
        return ""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "version unknown"
