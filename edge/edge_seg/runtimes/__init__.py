"""Inference engines: one adapter file per runtime, one interface for all.

Load with `load_engine`, then `set_input`, `invoke` and `output`.
"""

import platform
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from edge_seg.errors import ModelError
from edge_seg.runtimes.engine import Engine, Operation, TensorSpec
from edge_seg.runtimes.quiet import quiet_stderr

__all__ = ["DEFAULT_RUNTIME", "MOST_THREADS", "RUNTIMES", "Engine", "Operation", "TensorSpec", "load_engine"]

RUNTIMES = ("litert", "tflite_runtime")
# LiteRT has no wheels for 32-bit Pi OS; the marker in pyproject.toml is the same.
DEFAULT_RUNTIME = "tflite_runtime" if platform.machine() == "armv7l" else "litert"
MOST_THREADS = 256
"""Beyond any edge device; TFLite crashes when it asks the system for more than it gives."""


def load_engine(path: Path, *, runtime: str = DEFAULT_RUNTIME, threads: int = 1, delegate: bool = True) -> Engine:
    """Load a .tflite file into a runtime, ready to run.

    Args:
        path: the model file.
        runtime: one of RUNTIMES.
        threads: CPU threads, 1 to MOST_THREADS.
        delegate: False keeps XNNPACK away, so that every operation runs on its built-in kernel.

    Raises:
        ModelError: no such file, not a TFLite model, an unknown runtime, or an operation the runtime lacks.
        MissingExtraError: the runtime is not installed.
    """
    if runtime not in RUNTIMES:
        raise ModelError(f"no runtime is called '{runtime}'; choose one of {', '.join(RUNTIMES)}")
    if not 1 <= threads <= MOST_THREADS:
        raise ModelError(f"threads must be 1 or more and at most {MOST_THREADS}, not {threads}")
    check_is_tflite(path)
    load: Callable[[Path, int, bool], Engine] = import_module(f"edge_seg.runtimes.{runtime}").load
    try:
        with quiet_stderr():  # "INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
            return load(path, threads, delegate)
    except (ValueError, RuntimeError, MemoryError) as error:
        reason = " ".join(str(error).split()) or "it does not say why"
        raise ModelError(
            f"{path}: {runtime} cannot load it ({reason}); convert the model again or try another --runtime"
        ) from None


def check_is_tflite(path: Path) -> None:
    """Raise ModelError unless `path` is a file with TFLite's identifier (bytes 4 to 8 are 'TFL3')."""
    if not path.is_file():
        raise ModelError(f"{path}: no such model file; `edge-seg models` lists those that ship with the package")
    with path.open("rb") as file:
        head = file.read(8)
    if head[4:8] != b"TFL3":
        raise ModelError(f"{path}: not a TFLite model (it begins with {head!r}); give a .tflite file")
