"""LiteRT (PyPI `ai-edge-litert`), the default runtime."""

from pathlib import Path

from edge_seg.extras import require_extra
from edge_seg.runtimes.engine import Engine, InterpreterEngine


def load(path: Path, threads: int, delegate: bool) -> Engine:
    """Load `path`; see edge_seg.runtimes.load_engine."""
    require_extra("litert", purpose="the litert runtime")
    from ai_edge_litert.interpreter import Interpreter, OpResolverType  # pyright: ignore

    return InterpreterEngine(Interpreter, OpResolverType, path, threads, delegate)
