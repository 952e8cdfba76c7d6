"""tflite_runtime 2.14: older boards, 32-bit Pi OS, NumPy 1."""

from pathlib import Path

from edge_seg.extras import require_extra
from edge_seg.runtimes.engine import Engine, InterpreterEngine


def load(path: Path, threads: int, delegate: bool) -> Engine:
    """Load `path`; see edge_seg.runtimes.load_engine."""
    require_extra("tflite-runtime", purpose="the tflite_runtime runtime")
    from tflite_runtime.interpreter import Interpreter, OpResolverType  # pyright: ignore

    return InterpreterEngine(Interpreter, OpResolverType, path, threads, delegate)
